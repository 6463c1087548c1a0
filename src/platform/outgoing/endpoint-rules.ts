import { isIP } from 'node:net';
import type { AddressRules, AddressVerdict } from './address-rules.js';

/** Where servers of other kinds listen: a call that is no call there could still do harm. */
const PORTS_OF_STORES: ReadonlySet<number> = new Set([
  1433, 1521, 2049, 2181, 2375, 2376, 2379, 2380, 3306, 4222, 5432, 5433, 5671, 5672, 5984, 6379, 6380, 6432, 6443,
  7000, 7001, 7199, 8086, 8091, 9000, 9042, 9092, 9093, 9160, 9200, 9300, 10250, 11211, 11434, 15672, 26257, 26379,
  27017, 27018, 27019, 50000, 61616,
]);
const MAX_URL = 2_048;

export interface EndpointPolicy {
  addresses: AddressRules;
  /** Plain http to anywhere, and not only to listed networks. */
  allowHttp: boolean;
}

/** What is wrong with a URL before anybody asks where it leads, as a tag; undefined if it may be tried. */
export function endpointProblem(text: string, policy: EndpointPolicy): string | undefined {
  if (text.length > MAX_URL || !URL.canParse(text)) return 'not_a_url';
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'scheme_not_allowed';
  if (url.username !== '' || url.password !== '') return 'credentials_in_url';
  if (url.hash !== '') return 'fragment_in_url';
  if (!isPortAllowed(portOf(url))) return 'port_not_allowed';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) === 0) return undefined;
  return addressProblem(policy, url.protocol, policy.addresses.verdict(host));
}

/** The same for a concrete address, at the moment of the connection: what a name means may have changed since. */
export function addressProblem(
  { allowHttp }: EndpointPolicy,
  protocol: string,
  verdict: AddressVerdict,
): string | undefined {
  if (verdict === 'refused') return 'address_not_allowed';
  return protocol === 'http:' && verdict !== 'listed' && !allowHttp ? 'http_not_allowed' : undefined;
}

function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

function isPortAllowed(port: number): boolean {
  return port === 80 || port === 443 || (port >= 1024 && !PORTS_OF_STORES.has(port));
}

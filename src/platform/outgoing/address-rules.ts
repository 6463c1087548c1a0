import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [Address, number];

/** Global unicast as IANA gives it out; whatever stands outside is special in some way, known or yet to come. */
const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3') as [ipaddr.IPv6, number];
/** Inside of it, and not for the public internet: documentation (RFC 9637), which ipaddr.js does not know. */
const DOCUMENTATION = ipaddr.parseCIDR('3fff::/20') as [ipaddr.IPv6, number];

export type AddressVerdict =
  /** Anybody may be there. */
  | 'public'
  /** Of a network that the operator has listed. */
  | 'listed'
  /** Ours, or nobody's. */
  | 'refused';

/** Which addresses outgoing calls may reach: what is public, and what the operator lists although it is not. */
export class AddressRules {
  private readonly listed: readonly Network[];

  constructor(listed: readonly string[]) {
    this.listed = listed.map((network) => ipaddr.parseCIDR(network) as Network);
  }

  /** A text that is no address is refused: whoever asks has one at hand. */
  verdict(text: string): AddressVerdict {
    const address = parsed(text);
    if (!address) return 'refused';
    if (this.listed.some(([network, bits]) => isWithin(address, network, bits))) return 'listed';
    return isPublic(address) ? 'public' : 'refused';
  }
}

/** IPv4 in IPv6 clothes counts as what it is. Only forms that sockets take: `0x7f.1` was normalised by URL long before. */
function parsed(text: string): Address | undefined {
  const bare = text.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  return isIP(bare) === 0 ? undefined : ipaddr.process(bare);
}

function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false;
  if (address.kind() === 'ipv4') return true;
  const v6 = address as ipaddr.IPv6;
  return v6.match(GLOBAL_UNICAST) && !v6.match(DOCUMENTATION);
}

function isWithin(address: Address, network: Address, bits: number): boolean {
  return address.kind() === network.kind() && address.match(network as never, bits);
}

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { Agent, request } from 'undici';
import { AddressRules } from '../platform/outgoing/address-rules.js';
import { failureTag } from '../platform/outgoing/outgoing-failure.js';
import { CommandFailure, EXIT } from './failure.js';

const TIMEOUT_MS = 15_000;
const MAX_ANSWER_BYTES = 64 * 1024;
const MACHINE_AND_NEIGHBOURS = new AddressRules([
  ...['127.0.0.0/8', '::1/128'],
  ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
]);

export interface LocalAnswer {
  status?: number;
  error_tag?: string;
  duration_ms: number;
}

/** The server that somebody is writing: on this machine or near it, so that nobody sends events of others out by a typing error. */
export class LocalServer {
  /** A connection for each call: the server is stopped and started again all the time. */
  private readonly agent = new Agent({ pipelining: 0 });

  private constructor(private readonly url: URL) {}

  static async at(url: URL): Promise<LocalServer> {
    for (const address of await addressesOf(url)) {
      if (MACHINE_AND_NEIGHBOURS.verdict(address) === 'listed') continue;
      const message = `${url.host} is neither this machine nor in a private network; webhook/create is for servers on the internet.`;
      throw new CommandFailure(EXIT.wrongUsage, 'address_not_local', message);
    }
    return new LocalServer(url);
  }

  /** Undefined where it was interrupted. Redirects are answers like others. */
  async post(
    headers: Record<string, string>,
    body: string,
    interrupted: AbortSignal,
  ): Promise<LocalAnswer | undefined> {
    const beganMs = performance.now();
    const inTime = AbortSignal.timeout(TIMEOUT_MS);
    const outcome = await this.outcomeOf(headers, body, AbortSignal.any([inTime, interrupted])).catch(
      (error: unknown) => ({ error_tag: inTime.aborted ? 'timeout' : failureTag(error) }),
    );
    if (interrupted.aborted) return undefined;
    return { ...outcome, duration_ms: Math.round(performance.now() - beganMs) };
  }

  private async outcomeOf(
    headers: Record<string, string>,
    body: string,
    signal: AbortSignal,
  ): Promise<{ status: number }> {
    const options = { method: 'POST', headers, body, signal, dispatcher: this.agent } as const;
    const { statusCode, body: answer } = await request(this.url, options);
    await answer.dump({ limit: MAX_ANSWER_BYTES, signal });
    return { status: statusCode };
  }
}

async function addressesOf({ hostname }: URL): Promise<string[]> {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0) return [host];
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    const message = `${host} is not known: nobody says where it leads.`;
    throw new CommandFailure(EXIT.wrongUsage, 'name_not_found', message, { cause: error });
  }
}

import { lookup as resolveName, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import { addressProblem, type EndpointPolicy } from './endpoint-rules.js';

const CONNECT_TIMEOUT_MS = 5_000;

/** The connection was never made, or cut before a byte was sent: where it leads is not allowed. */
export class NotAllowed extends Error {
  constructor(readonly tag: string) {
    super(`the connection is refused: ${tag}`);
    this.name = 'NotAllowed';
  }
}

type Connect = buildConnector.connector;
type Done = Parameters<Connect>[1];

/**
 * Connects to what the policy allows. A name is resolved once, every answer is judged, and the socket is given just those;
 * undici does not ask a lookup about addresses, so these are judged apart; and who really answers is judged once more.
 */
export function guardedConnector(policy: EndpointPolicy, tls: { ca?: string[] } = {}): Connect {
  return (options, done) => {
    const refusal = literalProblem(policy, options);
    if (refusal !== undefined) {
      done(new NotAllowed(refusal), null);
      return;
    }
    const connect = buildConnector({
      timeout: CONNECT_TIMEOUT_MS,
      minVersion: 'TLSv1.2',
      lookup: judgingLookup(policy, options.protocol),
      ...tls,
    } as buildConnector.BuildOptions);
    connect(options, (error, socket) => {
      if (error || !socket) return done(error ?? new Error('no socket'), null);
      return judged(policy, options.protocol, socket, done);
    });
  };
}

function literalProblem(policy: EndpointPolicy, { hostname, protocol }: buildConnector.Options): string | undefined {
  const host = hostname.replace(/^\[|\]$/g, '');
  return isIP(host) === 0 ? undefined : addressProblem(policy, protocol, policy.addresses.verdict(host));
}

function judgingLookup(policy: EndpointPolicy, protocol: string): LookupFunction {
  return (hostname, options, answer) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error) return answer(error, '', 0);
      // One bad answer among good ones is an attempt, or a mistake that looks like one.
      for (const { address } of addresses) {
        const problem = addressProblem(policy, protocol, policy.addresses.verdict(address));
        if (problem !== undefined) return answer(new NotAllowed(problem), '', 0);
      }
      const [first] = addresses;
      if (options.all) return answer(null, addresses as never, 0);
      return answer(null, first?.address ?? '', first?.family ?? 0);
    });
  };
}

function judged(policy: EndpointPolicy, protocol: string, socket: Socket, done: Done): void {
  const problem = addressProblem(policy, protocol, policy.addresses.verdict(socket.remoteAddress ?? ''));
  if (problem === undefined) {
    done(null, socket as never);
    return;
  }
  socket.destroy();
  done(new NotAllowed(problem), null);
}

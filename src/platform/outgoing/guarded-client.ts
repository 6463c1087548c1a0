import { lookup } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Configuration } from '../config/configuration.js';
import { AddressRules } from './address-rules.js';
import { addressProblem, endpointProblem, type EndpointPolicy } from './endpoint-rules.js';
import { notCalled, OutgoingCalls, type OutgoingCall, type OutgoingOutcome } from './outgoing-calls.js';

const LOOKUP_MS = 2_000;

/** The one way out of the product: every call to an address that somebody else has chosen goes through here. */
@Injectable()
export class GuardedClient implements OnApplicationShutdown {
  private readonly policy: EndpointPolicy;
  private readonly calls: OutgoingCalls;
  private readonly judged = new WeakMap<URL, string | undefined>();

  constructor(configuration: Configuration) {
    const { allowedNetworks, allowHttp, ca } = configuration.outgoing;
    this.policy = { addresses: new AddressRules(allowedNetworks), allowHttp };
    this.calls = new OutgoingCalls(this.policy, ca);
  }

  /** What can be known of a URL before it is called, as a tag. */
  problemOf(url: string): string | undefined {
    return endpointProblem(url, this.policy);
  }

  /** Also where the name leads at the moment. A name that is not known yet may still come to be. */
  async problemToday(url: string): Promise<string | undefined> {
    const problem = this.problemOf(url);
    if (problem !== undefined) return problem;
    const { hostname, protocol } = new URL(url);
    const known = lookup(hostname.replace(/^\[|\]$/g, ''), { all: true }).catch(() => []);
    for (const { address } of await Promise.race([known, sleep(LOOKUP_MS, [], { ref: false })])) {
      const refused = addressProblem(this.policy, protocol, this.policy.addresses.verdict(address));
      if (refused !== undefined) return refused;
    }
    return undefined;
  }

  /** Never throws; redirects are answers like others. */
  post(call: OutgoingCall): Promise<OutgoingOutcome> {
    const problem = this.knownProblemOf(call.url);
    return problem === undefined ? this.calls.post(call) : Promise.resolve(notCalled(problem));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.calls.destroy();
  }

  /** Judged once: neither the URL nor the rules change, and the address is judged at each connection. */
  private knownProblemOf(url: URL): string | undefined {
    if (!this.judged.has(url)) this.judged.set(url, this.problemOf(url.href));
    return this.judged.get(url);
  }
}

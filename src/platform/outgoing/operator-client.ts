import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Configuration } from '../config/configuration.js';
import { AddressRules } from './address-rules.js';
import { notCalled, OutgoingCalls, type OutgoingCall, type OutgoingOutcome } from './outgoing-calls.js';

const ANYWHERE = ['0.0.0.0/0', '::/0'];

/**
 * Calls to services that the operator has configured, wherever they are: exactly their origins, and no redirect leads away from
 * them. The rules of tenants' webhooks are those of GuardedClient; nothing is opened to these here.
 */
@Injectable()
export class OperatorClient implements OnApplicationShutdown {
  private readonly calls: OutgoingCalls;
  private readonly origins: ReadonlySet<string>;

  constructor({ inbox, outgoing }: Configuration) {
    this.calls = new OutgoingCalls({ addresses: new AddressRules(ANYWHERE), allowHttp: true }, outgoing.ca);
    this.origins = new Set(Object.values(inbox.urls).map((url) => new URL(url).origin));
  }

  /** Never throws. */
  post(call: OutgoingCall): Promise<OutgoingOutcome> {
    return this.origins.has(call.url.origin)
      ? this.calls.post(call)
      : Promise.resolve(notCalled('address_not_allowed'));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.calls.destroy();
  }
}

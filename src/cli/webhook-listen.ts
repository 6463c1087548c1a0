import { OrganisationService } from '../access/organisation.service.js';
import { CdcModule } from '../cdc/cdc.module.js';
import { canonicalTime } from '../cdc/event-time.js';
import { deliveryId } from '../delivery/delivery-id.js';
import { messageHeaders } from '../delivery/message-headers.js';
import type { OutgoingEvent, PayloadFormat } from '../delivery/outgoing-event.js';
import { messageBody } from '../delivery/outgoing-message.js';
import { newSigningSecret } from '../webhook/signing-secret.js';
import { CommandFailure, EXIT } from './failure.js';
import { followedFeed, interruption, tokenOfNow } from './followed-feed.js';
import { LocalServer, type LocalAnswer } from './local-server.js';
import { withServices, type Services } from './operator.js';
import type { CommonOptions } from './options.js';
import { printLine } from './output.js';

export const FORMATS: readonly PayloadFormat[] = ['envelope', 'cloudevents', 'event'];

interface ListenOptions extends CommonOptions {
  forwardTo: URL;
  org?: string;
  service?: string;
  format: PayloadFormat;
}

/** As the feed shows it: the stored envelope and what the log adds. */
interface ShownEvent {
  event_id: string;
  service: string;
  action: string;
  occurred_at: string;
  recorded_at: string;
  position: string;
}

/** Sends one event after the other until it is told to stop, and prints what became of each. */
export async function listen(options: ListenOptions): Promise<undefined> {
  const interrupted = interruption();
  const server = await LocalServer.at(options.forwardTo);
  await withServices(
    async (services) => {
      const { service } = options;
      const org = await organisationOf(services, options.org);
      const filters = service === undefined ? {} : { service };
      const now = await tokenOfNow(services, org, filters);
      const forwarding = new Forwarding(server, options, org, interrupted);
      forwarding.printBeginning();
      for await (const text of followedFeed(services, org, filters, now, interrupted)) await forwarding.forward(text);
      forwarding.printEnd();
    },
    [CdcModule],
  );
}

/** Where it is left out, the only one there is. */
async function organisationOf(services: Services, asked: string | undefined): Promise<string> {
  const organisations = services.get(OrganisationService);
  if (asked !== undefined) return (await organisations.get(asked)).orgcode;
  const [first, second] = await organisations.pageOfAll('', 2);
  if (first && !second) return first.orgcode;
  const message = first ? 'There are several organisations: say which with --org.' : 'There is no organisation yet.';
  throw new CommandFailure(EXIT.wrongUsage, 'organisation_not_named', message);
}

class Forwarding {
  private readonly secret = newSigningSecret();
  private delivered = 0;
  private failed = 0;

  constructor(
    private readonly server: LocalServer,
    private readonly options: ListenOptions,
    private readonly org: string,
    private readonly interrupted: AbortSignal,
  ) {}

  async forward(text: string): Promise<void> {
    if (this.interrupted.aborted) return;
    const sentAt = new Date();
    const { body, headers } = this.message(outgoingEvent(this.org, text), sentAt);
    const answer = await this.server.post(headers, body, this.interrupted);
    if (answer === undefined) return;
    if (isDelivered(answer)) this.delivered += 1;
    else this.failed += 1;
    const { service, action, event_id, position } = JSON.parse(text) as ShownEvent;
    const { status, error_tag, duration_ms } = answer;
    const columns = [sentAt.toISOString(), `${service}.${action}`, event_id, status ?? error_tag, `${duration_ms} ms`];
    this.print({ kind: 'sent', sent_at: sentAt, service, action, event_id, position, ...answer }, columns.join('  '));
  }

  printBeginning(): void {
    const { forwardTo, service } = this.options;
    const events = service === undefined ? `Events of ${this.org}` : `Events of ${this.org} from ${service}`;
    const shown = { kind: 'listening', orgcode: this.org, forward_to: forwardTo.href, secret: this.secret };
    this.print(shown, `${events} go to ${forwardTo.href} until Ctrl-C, signed with\n${this.secret}`);
  }

  printEnd(): void {
    const { delivered, failed } = this;
    this.print({ kind: 'ended', delivered, failed }, `${delivered} delivered, ${failed} failed`);
  }

  private message(event: OutgoingEvent, sentAt: Date): { body: string; headers: Record<string, string> } {
    const { format } = this.options;
    const body = messageBody(format, event);
    const headers = messageHeaders({
      format,
      event,
      body,
      secrets: [this.secret],
      custom: {},
      deliveryId: deliveryId({ lane: 0n, position: event.position, replayNo: 0 }), // no webhook has lane 0
      attempt: 1,
      isReplay: false,
      nowSeconds: Math.floor(sentAt.getTime() / 1000),
    });
    return { body, headers };
  }

  private print(document: object, text: string): void {
    const asJson = this.options.json === true;
    printLine(asJson ? JSON.stringify(document) : text, asJson);
  }
}

/** What the feed shows, taken apart again into what the log holds. */
function outgoingEvent(orgcode: string, text: string): OutgoingEvent {
  const { recorded_at, position, ...stored } = JSON.parse(text) as ShownEvent;
  return {
    orgcode,
    position: BigInt(position),
    recordedAt: new Date(recorded_at),
    eventId: stored.event_id,
    occurredAt: canonicalTime(stored.occurred_at) ?? stored.occurred_at,
    envelope: JSON.stringify(stored),
  };
}

function isDelivered({ status = 0 }: LocalAnswer): boolean {
  return status >= 200 && status < 300;
}

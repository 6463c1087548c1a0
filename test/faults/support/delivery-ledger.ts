import { Webhook } from 'standardwebhooks';
import type { Arrival } from '../../support/webhook-sink.js';
import type { DeliveryRow, DeliveryState } from './delivery-state.js';
import { inShort } from './ledger.js';
import { hashOfSaid, type SaidEvent } from './said-event.js';

/** A webhook as its owner knows it. */
export interface Subscriber {
  orgcode: string;
  webhookId: string;
  /** Where its calls arrive, and nobody else's. */
  path: string;
  secret: string;
  services: readonly string[];
}

export interface DeliveryFigures {
  acknowledged: number;
  /** Acknowledged events times webhooks that want them. */
  wanted: number;
  arrivals: number;
  /** Arrivals of an attempt that had arrived before, or right after one that was taken: what was sent once more. Retries of that are not. */
  extra: number;
  /** Of one delivery at most. */
  mostExtra: number;
  dead: number;
  held: number;
  /** Deliveries that a worker was lost with. */
  lostWith: number;
  /** From the acknowledgement to the first arrival at a webhook. */
  medianMs: number;
  p95Ms: number;
  slowestMs: number;
}

interface Call {
  arrival: Arrival;
  attempt: number;
  messageId: string;
}

/**
 * The oracle of deliveries: clients write down what was acknowledged, a sink everything that arrives. In the end both are held against
 * the tables; each complaint names the promise that was broken.
 */
export class DeliveryLedger {
  private readonly subscribers = new Map<string, Subscriber>();
  private readonly said = new Map<string, { orgcode: string; service: string; hash: string; atMs: number }>();
  private delaysFromMs = 0;

  subscribes(subscriber: Subscriber): void {
    this.subscribers.set(subscriber.path, subscriber);
  }

  /** An event that the API has taken. */
  acknowledges(orgcode: string, event: SaidEvent): void {
    const { service } = event as SaidEvent & { service: string };
    this.said.set(event.event_id, { orgcode, service, hash: hashOfSaid(event), atMs: Date.now() });
  }

  /** Delays are those of what is acknowledged from now on. */
  forgetDelays(): void {
    this.delaysFromMs = Date.now();
  }

  get webhooks(): Subscriber[] {
    return [...this.subscribers.values()];
  }

  figures(arrivals: readonly Arrival[], { rows, paused }: DeliveryState): DeliveryFigures {
    const calls = [...callsByPair(arrivals).values()];
    const extra = calls.map(extraOf);
    const delays = calls.flatMap(([first]) => this.delayOf(first!.arrival)).sort((a, b) => a - b);
    return {
      acknowledged: this.said.size,
      wanted: this.wanted().length,
      arrivals: arrivals.length,
      extra: extra.reduce((sum, one) => sum + one, 0),
      mostExtra: extra.reduce((most, one) => Math.max(most, one), 0),
      dead: rows.filter(({ status }) => status === 'dead').length,
      held: rows.filter(({ status, webhookId }) => status === 'scheduled' && paused.includes(webhookId)).length,
      lostWith: rows.filter(({ lostWith }) => lostWith > 0).length,
      medianMs: delays[Math.floor(delays.length / 2)] ?? 0,
      p95Ms: delays[Math.floor(delays.length * 0.95)] ?? 0,
      slowestMs: delays.at(-1) ?? 0,
    };
  }

  /** Every promise that was broken, by kind; empty when all were kept. `extraAtMost`: of deliveries that may arrive once more. */
  complaints(arrivals: readonly Arrival[], state: DeliveryState, extraAtMost: number): string[] {
    const pairs = callsByPair(arrivals);
    const { extra } = this.figures(arrivals, state);
    return [
      ...inShort('lost', this.lost(pairs, state)),
      ...inShort('untrue', untrue(this.webhooks, pairs, state)),
      ...inShort('wrong', this.wrong(arrivals)),
      ...inShort('count', this.miscounted(state)),
      ...inShort('stuck', stuck(state)),
      ...inShort('ended', endings(state)),
      ...(extra > extraAtMost ? [`extra: ${extra} arrivals more than there should be, ${extraAtMost} may be`] : []),
    ];
  }

  private delayOf({ eventId, atMs }: Arrival): number[] {
    const said = this.said.get(eventId ?? '');
    return said && said.atMs >= this.delaysFromMs ? [Math.max(0, atMs - said.atMs)] : [];
  }

  private wanted(): [Subscriber, eventId: string][] {
    return [...this.said].flatMap(([eventId, { orgcode, service }]) =>
      this.webhooks.filter((one) => wants(one, orgcode, service)).map((one): [Subscriber, string] => [one, eventId]),
    );
  }

  /** Taken by the endpoint; or dead, which has a reason; or held, because its webhook is paused. */
  private lost(pairs: ReadonlyMap<string, Call[]>, { rows, paused }: DeliveryState): string[] {
    const byPair = new Map(rows.map((row) => [`${row.webhookId} ${row.eventId}`, row]));
    return this.wanted().flatMap(([{ path, webhookId }, eventId]) => {
      if (pairs.get(`${path} ${eventId}`)?.some(isTaken) || paused.includes(webhookId)) return [];
      const row = byPair.get(`${webhookId} ${eventId}`);
      if (row?.status === 'dead' && row.reason) return [];
      return [`${eventId} never reached ${path}: ${row ? `it is ${row.status} after ${row.attempts}` : 'no row'}`];
    });
  }

  private wrong(arrivals: readonly Arrival[]): string[] {
    const messageIds = new Map<string, string>();
    return arrivals.flatMap((arrival) => {
      const subscriber = this.subscribers.get(arrival.path);
      if (!subscriber) return [`a call of ${arrival.path}, which no webhook has`];
      const found = this.wrongWith(arrival, subscriber);
      const id = arrival.headers['webhook-id'] ?? '';
      const known = messageIds.get(arrival.eventId ?? '') ?? id;
      messageIds.set(arrival.eventId ?? '', known);
      const other = known === id ? [] : [`has the webhook-id ${id} and had ${known}`];
      return [...found, ...other].map((what) => `${arrival.eventId} at ${arrival.path} ${what}`);
    });
  }

  private wrongWith(arrival: Arrival, subscriber: Subscriber): string[] {
    if (!isSigned(arrival, subscriber.secret)) return ['is not signed by its webhook'];
    const body = JSON.parse(arrival.body) as { orgcode?: string };
    const said = this.said.get(arrival.eventId ?? '');
    if (body.orgcode !== subscriber.orgcode) return [`is an event of ${body.orgcode}`];
    if (!said) return []; // somebody may have published and never heard of it
    return [
      ...(said.hash === hashOfSaid(body) ? [] : ['was altered']),
      ...(wants(subscriber, said.orgcode, said.service) ? [] : ['was not wanted there']),
    ];
  }

  /** What stands in the log has one delivery for each webhook that wants it, and there are no others. */
  private miscounted({ rows, logged, paused }: DeliveryState): string[] {
    return this.webhooks
      .filter(({ webhookId }) => !paused.includes(webhookId))
      .flatMap((webhook) => {
        const first = rows.filter(({ webhookId, replayNo }) => webhookId === webhook.webhookId && replayNo === 0);
        const events = logged.filter(({ orgcode, service }) => wants(webhook, orgcode, service));
        return first.length === events.length
          ? []
          : [`${events.length} events for ${webhook.path}, and ${first.length} deliveries`];
      });
  }
}

/** The signature alone: whose clock is wrong is another question. */
function isSigned({ headers, body }: Arrival, secret: string): boolean {
  const { 'webhook-id': id = '', 'webhook-timestamp': seconds, 'webhook-signature': signatures = '' } = headers;
  const own = new Webhook(secret).sign(id, new Date(Number(seconds) * 1_000), body);
  return signatures.split(' ').includes(own);
}

function wants(subscriber: Subscriber, orgcode: string, service: string): boolean {
  return subscriber.orgcode === orgcode && subscriber.services.includes(service);
}

function isTaken({ arrival }: Call): boolean {
  return arrival.answered >= 200 && arrival.answered < 300;
}

function callsByPair(arrivals: readonly Arrival[]): Map<string, Call[]> {
  const calls = new Map<string, Call[]>();
  for (const arrival of arrivals) {
    const key = `${arrival.path} ${arrival.eventId}`;
    const { 'ipm-attempt': attempt, 'webhook-id': messageId = '' } = arrival.headers;
    const known = calls.get(key) ?? [];
    known.push({ arrival, attempt: Number(attempt), messageId });
    calls.set(key, known);
  }
  return calls;
}

/** One that was sent once more and is refused is tried again like any other: those calls are the endpoint's doing. */
function extraOf(calls: readonly Call[]): number {
  const attempts = new Set<number>();
  let [extra, wasTaken] = [0, false];
  for (const call of calls) {
    if (wasTaken || attempts.has(call.attempt)) extra += 1;
    attempts.add(call.attempt);
    wasTaken = isTaken(call);
  }
  return extra;
}

function untrue(
  webhooks: readonly Subscriber[],
  pairs: ReadonlyMap<string, Call[]>,
  { rows }: DeliveryState,
): string[] {
  const paths = new Map(webhooks.map(({ webhookId, path }) => [webhookId, path]));
  return rows
    .filter(({ status, replayNo }) => status === 'delivered' && replayNo === 0)
    .filter(
      ({ webhookId, eventId }) =>
        paths.has(webhookId) && !pairs.get(`${paths.get(webhookId)} ${eventId}`)?.some(isTaken),
    )
    .map(({ webhookId, eventId }) => `${eventId} counts as delivered at ${paths.get(webhookId)} and never was`);
}

function stuck({ rows, leases, due, paused }: DeliveryState): string[] {
  const open = rows.filter(
    ({ status, webhookId }) => status === 'sending' || (status === 'scheduled' && !paused.includes(webhookId)),
  );
  return [
    ...open.map((row) => `${row.eventId} of ${row.webhookId} is ${row.status}`),
    ...(leases > 0 ? [`${leases} leases are left`] : []),
    ...(due > 0 ? [`${due} deliveries are due`] : []),
  ];
}

function endings({ rows, unlisted, changedAfterEnd }: DeliveryState): string[] {
  const without = rows.filter((row: DeliveryRow) => row.status === 'dead' && !row.reason);
  return [
    ...without.map(({ eventId, webhookId }) => `${eventId} of ${webhookId} is dead without a reason`),
    ...(unlisted > 0 ? [`${unlisted} of the dead and the list of them do not agree`] : []),
    ...(changedAfterEnd > 0 ? [`${changedAfterEnd} deliveries were changed after their end`] : []),
  ];
}

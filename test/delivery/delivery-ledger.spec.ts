import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { DeliveryLedger, type Subscriber } from '../faults/support/delivery-ledger.js';
import type { DeliveryRow, DeliveryState } from '../faults/support/delivery-state.js';
import { Random } from '../faults/support/random.js';
import { somethingHappens, type SaidEvent } from '../faults/support/said-event.js';
import type { Arrival } from '../support/webhook-sink.js';

const ORG = 'acme';
const ALL: Subscriber = subscriber('whk_all', ['pos', 'pim']);
const SOME: Subscriber = subscriber('whk_some', ['pim']);

function subscriber(webhookId: string, services: string[]): Subscriber {
  const secret = `whsec_${randomBytes(24).toString('base64')}`;
  return { orgcode: ORG, webhookId, path: `/${webhookId}`, secret, services };
}

/** The oracle of the fault tests of deliveries: one that finds nothing would let everything pass. */
describe('the ledger of deliveries', () => {
  let ledger: DeliveryLedger;
  let events: (SaidEvent & { service: string })[];
  let arrivals: Arrival[];
  let state: DeliveryState;

  const arrived = (event: SaidEvent, { path, secret }: Subscriber, more: object = {}, attempt = 1): Arrival => {
    const body = JSON.stringify({ ...event, orgcode: ORG, position: '1', ...more });
    const id = `msg_${event.event_id}`;
    const at = new Date();
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': new Webhook(secret).sign(id, at, body),
      'ipm-attempt': String(attempt),
    };
    return { path, headers, body, atMs: at.getTime(), eventId: event.event_id, answered: 200 };
  };
  const row = (event: SaidEvent, { webhookId }: Subscriber): DeliveryRow => ({
    orgcode: ORG,
    webhookId,
    eventId: event.event_id,
    status: 'delivered',
    reason: null,
    attempts: 1,
    lostWith: 0,
    replayNo: 0,
  });
  const kinds = (extraAtMost = 0): string[] => [
    ...new Set(ledger.complaints(arrivals, state, extraAtMost).map((complaint) => complaint.split(':')[0]!)),
  ];

  /** An event of pos for one of the webhooks, and one of pim for both. */
  beforeEach(() => {
    const random = new Random(7);
    ledger = new DeliveryLedger();
    events = ['pos', 'pim'].map((service) => ({ ...somethingHappens(random), service }));
    for (const one of [ALL, SOME]) ledger.subscribes(one);
    for (const event of events) ledger.acknowledges(ORG, event);
    const [pos, pim] = events as SaidEvent[] as [SaidEvent, SaidEvent];
    arrivals = [arrived(pos, ALL), arrived(pim, ALL), arrived(pim, SOME)];
    state = {
      rows: [row(pos, ALL), row(pim, ALL), row(pim, SOME)],
      logged: events.map(({ event_id, service }) => ({ orgcode: ORG, eventId: event_id, service })),
      paused: [],
      leases: 0,
      due: 0,
      unlisted: 0,
      changedAfterEnd: 0,
    };
  });

  it('has no complaint where every promise was kept', () => {
    expect(kinds()).toEqual([]);
    expect(ledger.figures(arrivals, state)).toMatchObject({ acknowledged: 2, wanted: 3, arrivals: 3, extra: 0 });
  });

  it('complains about what never arrived, and about rows that say it did', () => {
    arrivals.pop();
    expect(kinds()).toEqual(['lost', 'untrue']);
    arrivals = [];
    state.rows = state.rows.map((one) => ({ ...one, status: 'dead', reason: 'too_old' }));
    expect(kinds()).toEqual([]);
    state.rows[0]!.reason = null;
    expect(kinds()).toEqual(['lost', 'ended']);
  });

  it('does not miss what a paused webhook holds', () => {
    arrivals.pop();
    state.rows[2]!.status = 'scheduled';
    expect(kinds()).toEqual(['lost', 'stuck']);
    state.paused = [SOME.webhookId];
    expect(kinds()).toEqual([]);
  });

  it.each<[string, (event: SaidEvent) => Arrival]>([
    ['altered', (event) => arrived(event, ALL, { payload: { number: 7 } })],
    ['of a foreign organisation', (event) => arrived(event, ALL, { orgcode: 'other' })],
    ['at a webhook that does not want it', (event) => arrived(event, SOME)],
    ['signed by another webhook', (event) => ({ ...arrived(event, SOME), path: ALL.path })],
    ['at an address that nobody has', (event) => ({ ...arrived(event, ALL), path: '/elsewhere' })],
  ])('complains about an arrival %s', (_what, make) => {
    arrivals.push(make(events[0]!));
    expect(kinds(1)).toEqual(['wrong']);
  });

  it('complains about another webhook-id for the same event', () => {
    const again = arrived({ ...events[0]!, event_id: 'x' }, ALL);
    arrivals.push({ ...arrived(events[0]!, ALL), headers: { ...again.headers } });
    expect(kinds(1)).toContain('wrong');
  });

  it('counts what arrives after it was taken, or twice as the same attempt, and knows an ordinary retry', () => {
    arrivals.unshift({ ...arrived(events[0]!, ALL), answered: 500 });
    arrivals[1]!.headers['ipm-attempt'] = '2';
    expect(kinds()).toEqual([]);
    arrivals.push(arrived(events[0]!, ALL, {}, 3));
    expect([kinds(), kinds(1)]).toEqual([['extra'], []]);
    arrivals.push({ ...arrived(events[1]!, SOME), answered: 0 });
    expect([kinds(1), kinds(2)]).toEqual([['extra'], []]);
  });

  it('counts what was sent once more, and not how often an endpoint refuses that', () => {
    const [event] = events as [SaidEvent & { service: string }, ...unknown[]];
    const refused = (attempt: number): Arrival => ({ ...arrived(event, ALL, {}, attempt), answered: 500 });
    arrivals.push(refused(1), refused(2), refused(3), arrived(event, ALL, {}, 4));
    expect([kinds(), kinds(1)]).toEqual([['extra'], []]);
    arrivals.push(arrived(event, ALL, {}, 5));
    expect([kinds(1), kinds(2)]).toEqual([['extra'], []]);
  });

  it.each<[string, string, (state: DeliveryState) => unknown]>([
    ['count', 'an event without a delivery', ({ rows }) => rows.splice(2)],
    ['stuck', 'a delivery on its way for ever', ({ rows }) => (rows[0]!.status = 'sending')],
    ['stuck', 'a lease that is left', (all) => (all.leases = 1)],
    ['stuck', 'something that is due', (all) => (all.due = 1)],
    ['ended', 'a list of the dead that is wrong', (all) => (all.unlisted = 1)],
    ['ended', 'a change after the end', (all) => (all.changedAfterEnd = 1)],
  ])('complains (%s) about %s', (kind, _what, spoil) => {
    spoil(state);
    expect(kinds()).toContain(kind);
  });
});

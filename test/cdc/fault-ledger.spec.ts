import { Ledger } from '../faults/support/ledger.js';
import type { LoggedEvent, LogState } from '../faults/support/log-state.js';
import { Random } from '../faults/support/random.js';
import { hashOfSaid, somethingHappens, type SaidEvent } from '../faults/support/said-event.js';

const ORG = 'acme';

/** The oracle of the fault tests: one that finds nothing would let everything pass. */
describe('the ledger of the fault tests', () => {
  let ledger: Ledger;
  let events: SaidEvent[];
  let log: LogState;

  const logged = (event: SaidEvent, position: bigint): LoggedEvent => ({
    orgcode: ORG,
    position,
    eventId: event.event_id,
    service: 'pos',
    hash: hashOfSaid(event),
  });
  const shown = (event: SaidEvent, position: bigint): Record<string, unknown> => ({
    ...event,
    orgcode: ORG,
    service: 'pos',
    position: String(position),
  });
  const kinds = (): string[] => [...new Set(ledger.complaints(log).map((complaint) => complaint.split(':')[0]!))];

  /** Three events in one call, acknowledged at 1, 2 and 3 and read by two readers. */
  beforeEach(() => {
    const random = new Random(7);
    ledger = new Ledger();
    events = [somethingHappens(random), somethingHappens(random), somethingHappens(random)];
    ledger.says(ORG, events);
    events.forEach(({ event_id }, i) => ledger.hears(ORG, event_id, { status: 'accepted', position: BigInt(i + 1) }));
    log = { events: events.map((event, i) => logged(event, BigInt(i + 1))), halves: [] };
    for (const reader of ['by 1', 'by 7'])
      ledger.reads(
        reader,
        ORG,
        events.map((event, i) => shown(event, BigInt(i + 1))),
      );
  });

  it('has no complaint where every promise was kept', () => {
    expect(ledger.complaints(log)).toEqual([]);
    expect(ledger.figures(log)).toEqual({
      acknowledged: 3,
      answers: 3,
      inLog: 3,
      unacknowledged: 0,
      answersLost: 0,
      read: 6,
    });
  });

  it('complains about an acknowledged event that is gone, and readers that saw it', () => {
    log.events.pop();
    expect(kinds()).toEqual(['lost', 'half', 'order']);
  });

  it('complains about an event that stands twice, under one event_id or another', () => {
    const again = { ...events[0]!, event_id: 'another' };
    ledger.says(ORG, [again]);
    log.events.push(logged(again, 4n));
    expect(kinds()).toEqual(['twice', 'skipped']);
    log.events[3] = logged(events[0]!, 4n);
    expect(kinds()).toEqual(['moved', 'twice', 'skipped']);
  });

  it('complains about answers that name another position, or say twice that an event is new', () => {
    ledger.hears(ORG, events[0]!.event_id, { status: 'duplicate', position: 9n });
    expect(kinds()).toEqual(['moved']);
    ledger.hears(ORG, events[1]!.event_id, { status: 'accepted', position: 2n });
    expect(ledger.complaints(log)).toContainEqual(expect.stringContaining('was answered as new 2 times'));
  });

  it('complains about events of somebody else, never said, or taken back', () => {
    ledger.reads('by 1', ORG, [{ ...shown(somethingHappens(new Random(8)), 4n), orgcode: 'rival' }]);
    expect(kinds()).toEqual(['strange', 'altered', 'order']);
    ledger.takesBack(ORG, events);
    expect(kinds()).toContain('foreign');
  });

  it('complains about an altered body, in the log or on the way to a reader', () => {
    const altered = { ...events[0]!, payload: { other: true } };
    log.events[0] = logged(altered, 1n);
    expect(kinds()).toEqual(['altered', 'skipped', 'order']);
    log.events[0] = logged(events[0]!, 1n);
    ledger.reads('by 256', ORG, [shown(altered, 1n), shown(events[1]!, 2n), shown(events[2]!, 3n)]);
    expect(kinds()).toEqual(['altered', 'skipped', 'order']);
  });

  it('complains about a call of which a part is there, and about halves that the tables show', () => {
    const call = [somethingHappens(new Random(9)), somethingHappens(new Random(9))] as const;
    ledger.says(ORG, call);
    expect(ledger.complaints(log)).toEqual([]);
    log = { events: [...log.events, logged(call[0], 4n)], halves: [`${ORG} 4 has no key`] };
    expect(kinds()).toEqual(['half', 'skipped']);
  });

  it('complains about a reader that missed, repeated or swapped events', () => {
    const at = (...positions: number[]): Record<string, unknown>[] =>
      positions.map((position) => shown(events[position - 1]!, BigInt(position)));
    ledger.reads('misses', ORG, at(1, 3));
    expect(ledger.complaints(log)).toEqual(['skipped: misses of acme never saw 2 of pos, of a log to 3']);
    ledger.reads('repeats', ORG, at(1, 2, 2, 3));
    ledger.reads('swaps', ORG, at(2, 1, 3));
    expect(ledger.complaints(log)).toContainEqual('order: repeats of acme saw 2 after 2');
    expect(ledger.complaints(log)).toContainEqual('order: swaps of acme saw 1 after 2');
  });
});

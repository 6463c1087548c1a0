import type { RoutedEvent } from '../cdc/event-router.service.js';
import type { WebhookTarget } from '../webhook/webhook-targets.service.js';
import { EventMatching } from './event-matching.js';

let position = 0n;
function anEvent(fields: Partial<RoutedEvent> = {}, envelope: object = {}): RoutedEvent {
  position += 1n;
  return {
    position,
    eventId: `e-${position}`,
    service: 'pos',
    action: 'basket.closed',
    occurredMicros: 0n,
    recordedAt: new Date(0),
    logicalGuid: 'store-7',
    channelCode: null,
    pushed: true,
    envelope: JSON.stringify({ payload: {}, ...envelope }),
    ...fields,
  };
}

let lane = 0n;
function aTarget(fields: Partial<WebhookTarget> = {}): WebhookTarget {
  lane += 1n;
  const settings = { lane, webhookId: `whk-${lane}`, startPosition: 0n, ordering: 'parallel', filters: () => true };
  return { ...settings, ...fields } as WebhookTarget;
}

const pairsOf = (matching: EventMatching, events: RoutedEvent[]): [bigint, bigint][] =>
  matching.matches(events).map((match) => [match.lane, match.position]);

describe('which webhooks get which events', () => {
  it('is each that wants it, and each event in its order', () => {
    const [all, few] = [aTarget(), aTarget({ filters: ({ service }) => service === 'pim' })];
    const events = [anEvent(), anEvent({ service: 'pim' })];
    expect(pairsOf(new EventMatching([all, few]), events)).toEqual([
      [all.lane, events[0]!.position],
      [all.lane, events[1]!.position],
      [few.lane, events[1]!.position],
    ]);
  });

  it('is none that began later, and none for what was history when it came', () => {
    const [before, after] = [anEvent(), anEvent()];
    const history = anEvent({ pushed: false });
    const target = aTarget({ startPosition: before.position });
    expect(pairsOf(new EventMatching([target]), [before, after, history])).toEqual([[target.lane, after.position]]);
  });

  it('is never the webhook of which IPM says something, but each other one; and only IPM is believed', () => {
    const [concerned, other] = [aTarget(), aTarget()];
    const about = { payload: { webhook_id: concerned.webhookId } };
    const own = anEvent({ service: 'ipm', action: 'delivery.dead' }, about);
    const somebodys = anEvent({ service: 'pos' }, about);
    expect(pairsOf(new EventMatching([concerned, other]), [own, somebodys])).toEqual([
      [other.lane, own.position],
      [concerned.lane, somebodys.position],
      [other.lane, somebodys.position],
    ]);
  });

  it('sends at once as many as there is room for, the first ones, and queues the rest', () => {
    const [two, none] = [aTarget(), aTarget()];
    const events = [1, 2, 3].map(() => anEvent());
    const atOnce = (altogether: number): boolean[][] => {
      const room = { altogether, of: (target: WebhookTarget) => (target === two ? 2 : 0) };
      const matches = new EventMatching([two, none], room).matches(events);
      return [two, none].map(({ lane }) => matches.filter((match) => match.lane === lane).map((match) => match.atOnce));
    };
    expect(atOnce(10)).toEqual([
      [true, true, false],
      [false, false, false],
    ]);
    expect(atOnce(1)).toEqual([
      [true, false, false],
      [false, false, false],
    ]);
  });

  it.each([
    ['as the event says', { ordering_key: 'k', resource_id: 'r' }, 'store-7', 'k'],
    ['else what it is about', { resource_id: 'r' }, 'store-7', 'r'],
    ['else where it belongs', {}, 'store-7', 'store-7'],
    ['else the one that all such have', {}, null, ''],
  ])('keeps an order by key, %s', (_rule, envelope, logicalGuid, key) => {
    const events = [anEvent({ logicalGuid }, envelope)];
    const [ordered, parallel] = new EventMatching([aTarget({ ordering: 'key' }), aTarget()]).matches(events);
    expect([ordered?.orderingKey, parallel?.orderingKey]).toEqual([key, null]);
  });
});

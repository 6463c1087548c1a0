import { createHash } from 'node:crypto';
import { anEvent } from '../../support/events.js';
import type { Random } from './random.js';

/** An event as a client of a fault test publishes it. */
export interface SaidEvent {
  event_id: string;
  occurred_at: string;
  /** What happened in the client's world: once, however often and under whatever event_id it is said. */
  resource_id: string;
}

const SAID_FIELDS = ['event_id', 'service', 'action', 'occurred_at', 'resource_type', 'resource_id', 'payload'];
const AWKWARD = [
  '',
  'ß',
  '🜁 Ж 中',
  '"\\\u0001',
  "'; drop table event; --",
  '{"a":[',
  '\u2028',
  '%s $1 :x',
  '-0',
  'null',
];

let said = 0;

/** With a payload that is easily altered on the way. */
export function somethingHappens(random: Random): SaidEvent {
  said += 1;
  const payload = {
    number: random.pick([0, -1, 0.1, 1e-7, 123456.789, 2 ** 53 - 1]) as unknown,
    texts: Array.from({ length: random.between(0, 3) }, () => random.pick(AWKWARD)),
    filling: 'x'.repeat(random.between(0, 400)),
    nested: { [random.pick(AWKWARD)]: [null, true, { z: 1, a: [] }] },
  };
  const event = anEvent({ resource_type: 'thing', resource_id: `thing ${said}`, payload });
  return event as unknown as SaidEvent;
}

/** Of what the client said, as it was sent or as the feed shows it: key order does not count, everything else does. */
export function hashOfSaid(event: object): string {
  const fields = SAID_FIELDS.map((name) => [name, (event as Record<string, unknown>)[name]]);
  return createHash('sha256')
    .update(JSON.stringify(sorted(Object.fromEntries(fields))))
    .digest('base64url');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
}

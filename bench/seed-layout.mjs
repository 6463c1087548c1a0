import { eventsOfSize, scrambled } from './events.mjs';
import { ORGCODE } from './ipm-server.mjs';

/** Half of the events are of one organisation, the rest of these. */
export const OTHER_ORGCODES = Array.from({ length: 100 }, (_, i) => `org-${String(i + 1).padStart(3, '0')}`);
export const ORGCODES = [ORGCODE, ...OTHER_ORGCODES];
/** One event in 100,000 is of this service; the organisation with half of all events has them. */
export const RARE_SERVICE = 'rare';

const RARE_EVERY = 100_000;
/** A call brings several events of an organisation, one after the other. */
const EVENTS_A_RUN = 20;
const STEP_MS = 10;
/** Events come out of order by so much. */
const MOST_DELAY_MS = 4_000;
const NEWEST_AGE_MS = 3_600_000;

/** Which event stands at which position of a seeded log: always the same, whatever the size of the log. */
export class SeedLayout {
  constructor({ events, eventBytes, seededAtMs }) {
    this.events = events;
    this.firstMs = seededAtMs - NEWEST_AGE_MS - events * STEP_MS;
    const kinds = eventsOfSize(eventBytes);
    this.kinds = [...kinds, { ...kinds[0], service: RARE_SERVICE, action: 'thing.seen' }];
  }

  isRare(position) {
    return position % RARE_EVERY === RARE_EVERY / 2;
  }

  kindAt(position) {
    return this.isRare(position) ? this.kinds.length - 1 : position % (this.kinds.length - 1);
  }

  /** Index into ORGCODES. */
  orgAt(position) {
    const bits = scrambled(Math.floor(position / EVENTS_A_RUN), 17);
    return this.isRare(position) || bits % 2 === 0 ? 0 : 1 + ((bits >>> 1) % OTHER_ORGCODES.length);
  }

  occurredMsAt(position) {
    return this.firstMs + position * STEP_MS + (scrambled(position, 29) % MOST_DELAY_MS);
  }

  /** Some 6,000 events lie in a minute, half of them of the large organisation. */
  minuteAround(position) {
    const fromMs = this.firstMs + position * STEP_MS;
    return { from_utc: new Date(fromMs).toISOString(), to_utc: new Date(fromMs + 60_000).toISOString() };
  }
}

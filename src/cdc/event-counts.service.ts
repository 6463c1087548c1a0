import { Injectable } from '@nestjs/common';
import { EventCountsRepository } from './event-counts.repository.js';

const EVENTS_A_STEP = 20_000;
const LAST_POSITION = 2n ** 63n - 1n;

export interface CountedEvents {
  events: number;
  /** Of these, lines of bulk files. */
  imported: number;
  /** Where to go on counting. */
  position: bigint;
}

/** What came into an organisation's log, and whether it stands in it for long. */
@Injectable()
export class EventCounts {
  constructor(private readonly repository: EventCountsRepository) {}

  /** What was recorded after a position and before a time. */
  async until(orgcode: string, after: bigint, before: Date): Promise<CountedEvents> {
    const counted = { events: 0, imported: 0, position: after };
    for (;;) {
      const step = await this.repository.count(orgcode, counted.position, before, EVENTS_A_STEP);
      counted.events += step.events;
      counted.imported += step.imported;
      counted.position = step.position;
      if (!step.hasMore) return counted;
    }
  }

  /** The last event that was recorded before a time; 0 where there is none. */
  async positionAt(orgcode: string, before: Date): Promise<bigint> {
    for (let below = LAST_POSITION; ;) {
      const { found, end } = await this.repository.lookBack(orgcode, below, before, EVENTS_A_STEP);
      if (found !== null || end === null) return found ?? 0n;
      below = end;
    }
  }

  lagSeconds(orgcode: string): Promise<number> {
    return this.repository.lagSeconds(orgcode);
  }
}

import { passes, type FeedFilters, type FilteredColumns } from './feed-filters.js';

/** An event at the end of the log, rendered once for all who read along. */
export interface TailEvent extends FilteredColumns {
  position: bigint;
  text: string;
  /** Its token in each scope that asked for it. */
  tokens: Map<string, string>;
}

const MAX_EVENTS = 2_000;
const MAX_CHARACTERS = 8 * 1024 * 1024;

/** The last events of an organisation in memory, without a gap: everything after `from` up to `to` is here. */
export class LogTail {
  private events: TailEvent[] = [];
  private characters = 0;

  constructor(
    public from: bigint,
    public to: bigint,
  ) {}

  /** Events that follow on what is here, and how far the log was looked at for them. */
  grow(events: readonly TailEvent[], to: bigint): void {
    for (const event of events) {
      this.events.push(event);
      this.characters += event.text.length;
    }
    this.to = to;
    while (this.events.length > MAX_EVENTS || (this.characters > MAX_CHARACTERS && this.events.length > 1)) {
      const oldest = this.events.shift();
      if (!oldest) break;
      this.characters -= oldest.text.length;
      this.from = oldest.position;
    }
  }

  /** Up to `limit` events after a position that pass, and how far that is; undefined where the tail begins later. */
  after(position: bigint, filters: FeedFilters, limit: number): { events: TailEvent[]; cursor: bigint } | undefined {
    if (position < this.from) return undefined;
    const passed: TailEvent[] = [];
    for (let i = this.indexAfter(position); i < this.events.length; i += 1) {
      const event = this.events[i];
      if (!event || !passes(event, filters)) continue;
      passed.push(event);
      if (passed.length === limit) return { events: passed, cursor: event.position };
    }
    return { events: passed, cursor: this.to > position ? this.to : position };
  }

  private indexAfter(position: bigint): number {
    let [low, high] = [0, this.events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.events[middle]?.position ?? 0n) > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

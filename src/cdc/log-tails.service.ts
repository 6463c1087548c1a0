import { Injectable } from '@nestjs/common';
import { log } from '../platform/telemetry/logger.js';
import { ArrivalWatch, type Bell } from './arrival-watch.service.js';
import { EventCounters } from './event-counters.service.js';
import { FeedService } from './feed.service.js';
import { LogTail, type TailEvent } from './log-tail.js';
import { renderedEvent } from './rendered-event.dto.js';

const EVENTS_A_READ = 256;
const LISTEN_MS = 60_000;
const AFTER_FAILURE_MS = 1_000;

interface SharedTail {
  tail: LogTail;
  readers: Set<() => void>;
  bell: Bell;
  isOver: boolean;
}

/** One reader's share of a tail that all readers of the organisation in this process have in common. */
export interface TailReader {
  tail: LogTail;
  leave: () => void;
}

/** Five hundred readers of one organisation read its new events once, and not five hundred times. */
@Injectable()
export class LogTails {
  private readonly tails = new Map<string, Promise<SharedTail>>();

  constructor(
    private readonly feed: FeedService,
    private readonly watch: ArrivalWatch,
    private readonly counters: EventCounters,
  ) {}

  /** `grown` is called whenever there is more, and when nothing more will come. */
  async join(orgcode: string, grown: () => void): Promise<TailReader> {
    const opening = this.tails.get(orgcode) ?? this.open(orgcode);
    this.tails.set(orgcode, opening);
    const shared = await opening.catch((error: unknown) => {
      this.tails.delete(orgcode);
      throw error;
    });
    shared.readers.add(grown);
    const leave = (): void => {
      shared.readers.delete(grown);
      if (shared.readers.size === 0) this.close(orgcode, shared);
    };
    return { tail: shared.tail, leave };
  }

  private async open(orgcode: string): Promise<SharedTail> {
    const bell = this.watch.enter(orgcode);
    try {
      const { head } = await this.feed.ends(orgcode);
      const shared: SharedTail = { tail: new LogTail(head, head), readers: new Set(), bell, isOver: false };
      void this.follow(orgcode, shared);
      return shared;
    } catch (error) {
      bell.leave();
      throw error;
    }
  }

  private close(orgcode: string, shared: SharedTail): void {
    if (shared.isOver) return;
    shared.isOver = true;
    shared.bell.leave();
    this.tails.delete(orgcode);
  }

  private async follow(orgcode: string, shared: SharedTail): Promise<void> {
    while (!shared.isOver) {
      try {
        while (await this.readOn(orgcode, shared));
        await shared.bell.rung(LISTEN_MS);
      } catch (error) {
        log.warn({ err: error, orgcode }, 'the end of the log could not be read; streams wait until it can');
        await new Promise((resolve) => setTimeout(resolve, AFTER_FAILURE_MS));
      }
    }
  }

  /** True if there is more. */
  private async readOn(orgcode: string, { tail, readers }: SharedTail): Promise<boolean> {
    const page = await this.feed.page(orgcode, {}, tail.to, EVENTS_A_READ);
    if (page.cursor === tail.to) return false;
    const events = page.rows.map((row): TailEvent => ({
      ...row,
      text: renderedEvent(row),
      tokens: new Map<string, string>(),
    }));
    const newest = page.rows.at(-1);
    if (newest) this.counters.readForStreams(newest.recordedAt);
    tail.grow(events, page.cursor);
    for (const grown of readers) grown();
    return page.hasMore;
  }
}

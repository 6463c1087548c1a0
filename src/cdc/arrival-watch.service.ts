import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { AppError } from '../platform/errors/app-error.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { Arrivals } from './arrivals.service.js';
import { cdcErrors } from './cdc.errors.js';
import { FeedRepository } from './feed.repository.js';

const MAX_READERS = 5_000;
const MAX_READERS_OF_ONE = 1_000;
/** How late an arrival is noticed whose ring was lost. */
const LOOK_EVERY_MS = 1_000;

/** One reader's ear. */
export interface Bell {
  /** True at once if it rang since it was asked last, or when it rings; false when the time is over or the process stops. */
  rung: (withinMs: number) => Promise<boolean>;
  leave: () => void;
}

interface Watched {
  readers: number;
  /** The end of the log as it was seen last. */
  head: bigint | undefined;
}

/** Lets readers wait for new events without asking the database again and again: rings wake them, and one look for all as a net. */
@Injectable()
export class ArrivalWatch implements OnApplicationShutdown {
  private readonly watched = new Map<string, Watched>();
  private readers = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly arrivals: Arrivals,
    private readonly feed: FeedRepository,
    private readonly database: Database,
    private readonly stop: GracefulStop,
  ) {}

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  enter(orgcode: string): Bell {
    const watched = this.watched.get(orgcode) ?? { readers: 0, head: undefined };
    if (watched.readers >= MAX_READERS_OF_ONE || this.readers >= MAX_READERS)
      throw new AppError(cdcErrors.tooManyReaders, { details: { max: MAX_READERS_OF_ONE } });
    this.count(orgcode, watched, +1);
    const ear = new Ear();
    const stopListening = this.arrivals.listen(orgcode, () => ear.hear());
    const giveUp = (): void => ear.giveUp();
    this.stop.signal.addEventListener('abort', giveUp);
    if (this.stop.signal.aborted) ear.giveUp();
    return {
      rung: (withinMs) => ear.rung(withinMs),
      leave: () => {
        stopListening();
        this.stop.signal.removeEventListener('abort', giveUp);
        ear.giveUp();
        this.count(orgcode, watched, -1);
      },
    };
  }

  private count(orgcode: string, watched: Watched, change: 1 | -1): void {
    watched.readers += change;
    this.readers += change;
    if (watched.readers > 0) this.watched.set(orgcode, watched);
    else this.watched.delete(orgcode);
    if (this.readers > 0) this.timer ??= setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
    else {
      clearInterval(this.timer);
      this.timer = undefined;
    }
  }

  /** Rings for what a lost message, or a process that died between commit and ring, left unsaid. */
  private async look(): Promise<void> {
    try {
      const orgcodes = [...this.watched.keys()];
      const heads = await this.database.acrossOrganisations('event arrivals', (tx) => this.feed.heads(tx, orgcodes));
      for (const { orgcode, head } of heads) {
        const watched = this.watched.get(orgcode);
        if (!watched || watched.head === head) continue;
        watched.head = head;
        this.arrivals.ringHere(orgcode);
      }
    } catch {
      // The database is away: readers learn it from their own next look.
    }
  }
}

class Ear {
  private heard = false;
  private isOver = false;
  private wake: (() => void) | undefined;

  hear(): void {
    this.heard = true;
    this.wake?.();
  }

  giveUp(): void {
    this.isOver = true;
    this.wake?.();
  }

  async rung(withinMs: number): Promise<boolean> {
    if (!this.heard && !this.isOver && withinMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, withinMs);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.wake = undefined;
    }
    const rang = this.heard && !this.isOver;
    this.heard = false;
    return rang;
  }
}

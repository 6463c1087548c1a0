import { setTimeout as sleep } from 'node:timers/promises';
import type { Organisation } from '../faults/support/door.js';
import { FeedReader } from '../faults/support/feed-reader.js';
import { Publisher } from '../faults/support/publisher.js';
import type { Random } from '../faults/support/random.js';
import { somethingHappens } from '../faults/support/said-event.js';
import { SERVICES, type SoakStage } from './soak-stage.js';

const CLIENTS = 4;
const MOST_EVENTS = 20;
const PAGES = [7, 64, 256];
const LOOK_AGAIN_MS = 300;

/** Publishers and readers of every organisation. Publishers end first, readers when they have seen the end. */
export class SoakLoad {
  private isOver = false;
  private isAllSaid = false;
  private readonly publishing: Promise<unknown>;
  private readonly reading: Promise<unknown>;
  private readonly readers: readonly FeedReader[];

  constructor(
    private readonly stage: SoakStage,
    random: Random,
  ) {
    const clients = stage.scenes.flatMap((scene) =>
      Array.from({ length: CLIENTS }, (_, i) => this.publish(scene, i === 0 ? MOST_EVENTS : 1, random.branch())),
    );
    this.readers = stage.scenes.flatMap((scene) => PAGES.map((limit) => this.reader(scene, limit, random.branch())));
    this.publishing = Promise.all(clients);
    this.reading = Promise.all(this.readers.map((reader) => reader.follow(() => this.isAllSaid)));
  }

  /** So many events of this organisation have been read by everybody. */
  readOf(place: number): number {
    const own = this.readers.slice(place * PAGES.length, (place + 1) * PAGES.length);
    return Math.min(...own.map(({ seen }) => seen.length));
  }

  async publishersLeave(): Promise<void> {
    this.isOver = true;
    await this.publishing;
  }

  async readersLeave(): Promise<void> {
    this.isAllSaid = true;
    await this.reading;
  }

  private async publish(organisation: Organisation, mostEvents: number, random: Random): Promise<void> {
    const { apis, ledger } = this.stage;
    const publisher = new Publisher({ organisation, doors: apis.doors, ledger, random, mayBreak: true });
    while (!this.isOver) {
      const events = Array.from({ length: random.between(1, mostEvents) }, () => ({
        ...somethingHappens(random),
        service: random.pick(SERVICES),
      }));
      await publisher.say(events);
      await sleep(random.between(300, 1_200));
    }
  }

  private reader(organisation: Organisation, limit: number, random: Random): FeedReader {
    const { apis, ledger } = this.stage;
    const lookAgainMs = LOOK_AGAIN_MS;
    return new FeedReader({ organisation, doors: apis.doors, ledger, random, limit, mayBreak: true, lookAgainMs });
  }
}

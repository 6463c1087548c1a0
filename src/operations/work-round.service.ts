import { setTimeout as sleep } from 'node:timers/promises';
import type { GracefulStop } from '../platform/http/graceful-stop.js';
import { log } from '../platform/telemetry/logger.js';

const AT_ONCE = 4;
const IDLE_POLL_MS = 20;

/** A kind of long work: where what is open is found, and what is done with it. */
export interface LongWork<Item> {
  /** For the log: "a replay". */
  name: string;
  keyOf: (item: Item) => string;
  /** `free` is how many can be begun; what others may be at is looked past, so more may be found. */
  open: (free: number) => Promise<Item[]>;
  run: (item: Item) => Promise<unknown>;
}

/** Takes up long work that was ordered, or whose worker was lost: some of it at a time, and each once in this process. */
export class WorkRound<Item> {
  private readonly atWork = new Set<string>();
  private isLooking = false;

  constructor(
    private readonly stop: GracefulStop,
    private readonly work: LongWork<Item>,
    private readonly atOnce = AT_ONCE,
  ) {}

  async look(): Promise<void> {
    if (this.isLooking || this.stop.isStopping || this.atWork.size >= this.atOnce) return;
    this.isLooking = true;
    try {
      const open = await this.work.open(this.atOnce - this.atWork.size);
      const idle = open.filter((item) => !this.atWork.has(this.work.keyOf(item)));
      for (const item of idle.slice(0, this.atOnce - this.atWork.size)) void this.begin(item);
    } catch (error) {
      log.warn({ err: error }, `${this.work.name} could not be looked for; the next round looks again`);
    } finally {
      this.isLooking = false;
    }
  }

  /** While the process stops: what is under way comes to the end of its step and is left for another, so that nobody waits for its lease. */
  async leave(graceSeconds: number): Promise<void> {
    this.stop.begin();
    await this.idle(graceSeconds * 1_000);
  }

  /** When what was begun has ended, or that has taken too long. */
  private async idle(withinMs: number): Promise<void> {
    const deadlineMs = Date.now() + withinMs;
    while ((this.isLooking || this.atWork.size > 0) && Date.now() < deadlineMs) await sleep(IDLE_POLL_MS);
  }

  private async begin(item: Item): Promise<void> {
    const key = this.work.keyOf(item);
    this.atWork.add(key);
    try {
      await this.work.run(item);
    } catch (error) {
      log.warn({ err: error, subject: key }, `${this.work.name} could not begin or end; the next round goes on`);
    } finally {
      this.atWork.delete(key);
    }
  }
}

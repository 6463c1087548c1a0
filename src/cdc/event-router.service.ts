import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { PlainTx } from '../platform/database/transaction.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { log } from '../platform/telemetry/logger.js';
import { RouterCursorRepository, type RoutedEvent } from './router-cursor.repository.js';

export type { RoutedEvent };

/** Takes each event of an organisation exactly once, in order; room `delivery` is the one that does. */
export abstract class EventConsumer {
  /**
   * Writes what follows from the events in the transaction that moves the cursor over them. What it hands back is called after
   * the commit. Webhooks and the like are read here and not before: the events are read first, so that none falls between.
   */
  abstract consume(tx: PlainTx, orgcode: string, events: readonly RoutedEvent[]): Promise<(() => void) | undefined>;

  /** How many events to hand over at once, at most. */
  abstract batchSize(orgcode: string): number;

  /** False: what was handed over is still being worked off, so that more had better stay in the log. Who said so kicks when it is done. */
  abstract hasRoom(orgcode: string): boolean;
}

/** So long at most an organisation waits for room: a consumer that forgets to kick delays and no more. */
const MAX_REST_MS = 1_000;
const STOP_POLL_MS = 10;
const ORGANISATIONS_AT_ONCE = 4;
/** Then the next organisation has its turn. */
const BATCHES_A_TURN = 10;

/**
 * Reads each organisation's log from its own cursor and hands it to the consumer. Exactly once however often a router dies:
 * what the consumer writes and the cursor are one transaction. Of several processes one routes an organisation at a time.
 */
@Injectable()
export class EventRouter implements BeforeApplicationShutdown {
  private consumer: EventConsumer | undefined;
  private readonly waiting = new Set<string>();
  private readonly atWork = new Set<string>();
  private readonly restingSinceMs = new Map<string, number>();

  constructor(
    private readonly database: Database,
    private readonly cursors: RouterCursorRepository,
    private readonly stop: GracefulStop,
  ) {}

  use(consumer: EventConsumer): void {
    this.consumer = consumer;
  }

  /** The organisation may have work. A kick while it is being routed counts: it is looked at once more. */
  kick(orgcode: string): void {
    if (!this.consumer || this.stop.isStopping) return;
    this.waiting.add(orgcode);
    this.startNext();
  }

  /** What has been begun is finished: a batch, of each organisation. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stop.begin();
    this.waiting.clear();
    while (this.atWork.size > 0) await sleep(STOP_POLL_MS);
  }

  /** Routes what there is, up to a turn's worth; true if there may be more. */
  async route(orgcode: string): Promise<boolean> {
    for (let batch = 0; batch < BATCHES_A_TURN; batch += 1) {
      if (this.stop.isStopping) return false;
      if (this.rests(orgcode)) return false;
      if (!(await this.routeBatch(orgcode))) return false;
    }
    return true;
  }

  private startNext(): void {
    for (const orgcode of this.waiting) {
      if (this.atWork.size >= ORGANISATIONS_AT_ONCE) return;
      if (this.atWork.has(orgcode)) continue;
      this.waiting.delete(orgcode);
      this.atWork.add(orgcode);
      void this.turn(orgcode);
    }
  }

  private async turn(orgcode: string): Promise<void> {
    try {
      if (await this.route(orgcode)) this.waiting.add(orgcode);
    } catch (error) {
      log.warn({ err: error, orgcode }, 'events could not be routed; the sweep comes round again');
    } finally {
      this.atWork.delete(orgcode);
      this.startNext();
    }
  }

  private rests(orgcode: string): boolean {
    if (!this.consumer || this.consumer.hasRoom(orgcode)) {
      this.restingSinceMs.delete(orgcode);
      return false;
    }
    const nowMs = Date.now();
    const sinceMs = this.restingSinceMs.get(orgcode) ?? nowMs;
    const isOver = nowMs - sinceMs >= MAX_REST_MS;
    this.restingSinceMs.set(orgcode, isOver ? nowMs : sinceMs); // then one batch, and another rest
    return !isOver;
  }

  /** True if there is more: also what arrived while the cursor was ours, whose kick met the lock. */
  private async routeBatch(orgcode: string): Promise<boolean> {
    const consumer = this.consumer;
    if (!consumer) return false;
    const outcome = await this.database.plainAcross('event routing', async (tx) => {
      const taken = await this.cursors.take(tx, orgcode);
      if (!taken || taken.head <= taken.after) return undefined;
      const { after, head } = taken;
      const size = consumer.batchSize(orgcode);
      const events = await this.cursors.events(tx, orgcode, after, head, size);
      const committed = await consumer.consume(tx, orgcode, events);
      const position = events.length === size ? (events.at(-1)?.position ?? head) : head;
      await this.cursors.move(tx, orgcode, position);
      return { committed };
    });
    outcome?.committed?.();
    return outcome !== undefined;
  }
}

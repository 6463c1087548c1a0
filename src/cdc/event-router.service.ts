import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { PlainTx, Statement } from '../platform/database/transaction.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { log } from '../platform/telemetry/logger.js';
import { RouterCursorRepository, type RoutedEvent } from './router-cursor.repository.js';

export type { RoutedEvent };

/** What follows from some events. */
export interface Consumption {
  /** In the transaction that moves the cursor over them. */
  writes: readonly Statement[];
  /** Called after the commit, with the answer of each. */
  committed: (answers: readonly unknown[]) => void;
}

/** Takes each event of an organisation exactly once, in order; room `delivery` is the one that does. */
export abstract class EventConsumer<Read = unknown> {
  /** Read behind the events, in the same transaction: what was subscribed to in between knows by its start which are not its own. */
  abstract reading(orgcode: string): Statement<Read>;

  /** `read`: what that has answered. */
  abstract consume(tx: PlainTx, orgcode: string, events: readonly RoutedEvent[], read: Read): Promise<Consumption>;

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
    const { consumer, cursors } = this;
    if (!consumer) return false;
    let upTo = 0n;
    let consumption: Consumption | undefined;
    const outcome = await this.database.plainAcrossInTwoTrips(
      'event routing',
      [cursors.taking(orgcode, consumer.batchSize(orgcode)), consumer.reading(orgcode)],
      async (tx, batch, read) => {
        if (!batch) return undefined;
        ({ upTo } = batch);
        consumption = await consumer.consume(tx, orgcode, batch.events, read);
        this.waiting.delete(orgcode); // who kicked up to now is seen by the look afterwards
        const writes = [...consumption.writes, cursors.moving(orgcode, upTo)];
        return { writes, afterwards: cursors.heading(orgcode) };
      },
    );
    if (!outcome) return false;
    consumption?.committed(outcome.written);
    return outcome.afterwards > upTo;
  }
}

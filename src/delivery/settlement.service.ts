import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { log } from '../platform/telemetry/logger.js';
import { DeliveryDeaths } from './delivery-deaths.service.js';
import { DeliveryCounters } from './delivery-counters.service.js';
import { DueLanes } from './due-lanes.service.js';
import type { LeasedDelivery } from './leased-delivery.js';
import { SettlementRepository, type Dead, type Delivered, type Waiting } from './settlement.repository.js';

const A_BATCH = 400;
/** A moment in which results gather: a statement costs more than the rows in it. */
const GATHER_MS = 2;
const AFTER_FAILURE_MS = 250;

/**
 * Writes results, many in a statement and over many lanes. A result that cannot be written is tried again while its lease
 * lasts: after it the delivery is somebody else's, and is sent once more.
 */
@Injectable()
export class Settlement {
  private delivered: Delivered[] = [];
  private waiting: Waiting[] = [];
  private dead: Dead[] = [];
  /** Leases whose last delivery is dead. */
  private ended: bigint[] = [];
  private running: Promise<void> | undefined;

  constructor(
    private readonly repository: SettlementRepository,
    private readonly deaths: DeliveryDeaths,
    private readonly due: DueLanes,
    private readonly counters: DeliveryCounters,
  ) {}

  addDelivered(result: Delivered): void {
    this.delivered.push(result);
    this.start();
  }

  addWaiting(result: Waiting): void {
    this.waiting.push(result);
    this.start();
  }

  addDead(result: Dead): void {
    this.dead.push(result);
    this.start();
  }

  /** Until everything is written, or is not ours to write. */
  async drained(): Promise<void> {
    while (this.running) await this.running;
  }

  private start(): void {
    this.running ??= this.run().finally(() => {
      this.running = undefined;
      if (this.size > 0) this.start();
    });
  }

  private get size(): number {
    return this.delivered.length + this.waiting.length + this.dead.length + this.ended.length;
  }

  private async run(): Promise<void> {
    if (this.size < A_BATCH) await sleep(GATHER_MS);
    while (this.size > 0) {
      const isWritten = await this.round();
      if (!isWritten) await sleep(AFTER_FAILURE_MS);
    }
  }

  /** One kind after the other, so that the last of a lease is known to be the last. */
  private async round(): Promise<boolean> {
    const delivered = this.delivered.splice(0, A_BATCH);
    const waiting = this.waiting.splice(0, A_BATCH);
    const dead = this.dead.splice(0, A_BATCH);
    const outcomes = [
      await this.write(delivered, this.delivered, (batch, finished) => this.repository.delivered(batch, finished)),
      await this.write(waiting, this.waiting, (batch, finished) => this.repository.waiting(batch, finished)),
      await this.write(dead, this.dead, (batch, finished) => this.bury(batch, finished)),
      await this.endLeases(),
    ];
    for (const { delivery, afterMs } of waiting)
      this.due.note(delivery.lane, delivery.orgcode, performance.now() + afterMs);
    for (const { delivery } of [...delivered, ...dead])
      if (delivery.isOrdered) this.due.note(delivery.lane, delivery.orgcode);
    return outcomes.every(Boolean);
  }

  /** The dead are written in the transactions of their organisations, their leases afterwards. */
  private async bury(dead: readonly Dead[], finished: readonly bigint[]): Promise<number> {
    const ours = await this.deaths.settle(dead);
    this.ended.push(...finished);
    this.counters.died(ours);
    return ours;
  }

  private async endLeases(): Promise<boolean> {
    if (this.ended.length === 0) return true;
    try {
      await this.repository.delivered([], this.ended);
      this.ended = [];
      return true;
    } catch (error) {
      log.warn({ err: error }, 'leases could not be ended; they are in a moment, or run out');
      return false;
    }
  }

  private async write<Result extends { delivery: LeasedDelivery }>(
    batch: Result[],
    queue: Result[],
    work: (batch: Result[], finished: bigint[]) => Promise<number>,
  ): Promise<boolean> {
    if (batch.length === 0) return true;
    try {
      const ours = await work(batch, finishedBy(batch));
      if (ours < batch.length) this.counters.superseded(batch.length - ours);
      for (const { delivery } of batch) delivery.lease.settled();
      return true;
    } catch (error) {
      const still = new Set(batch.filter(({ delivery }) => delivery.lease.lastsFor(0)));
      const givenUp = batch.filter((result) => !still.has(result));
      for (const { delivery } of givenUp) {
        delivery.lease.abandon();
        delivery.lease.settled();
      }
      log.warn(
        { err: error, results: batch.length, given_up: givenUp.length },
        'results of deliveries could not be written; they are tried again',
      );
      queue.unshift(...still);
      return false;
    }
  }
}

/** Leases that end with these results. */
function finishedBy(batch: readonly { delivery: LeasedDelivery }[]): bigint[] {
  const counts = new Map<LeasedDelivery['lease'], number>();
  for (const { delivery } of batch) counts.set(delivery.lease, (counts.get(delivery.lease) ?? 0) + 1);
  const finished = [...counts].filter(([lease, count]) => count === lease.unsettled && !lease.isAbandoned);
  return finished.map(([lease]) => lease.fence);
}

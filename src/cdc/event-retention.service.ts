import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { AuditService } from '../audit/audit.service.js';
import { OperationRuns, type OperationResult, type RunningOperation } from '../operations/operation-runs.service.js';
import { Configuration } from '../platform/config/configuration.js';
import { Database } from '../platform/database/database.js';
import type { SystemTx } from '../platform/database/transaction.js';
import { AppError } from '../platform/errors/app-error.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import { log } from '../platform/telemetry/logger.js';
import { EventPartitionRepository, type EventPartition } from './event-partition.repository.js';
import { EventRetentionRepository, type DroppedShare } from './event-retention.repository.js';

const DAY_MS = 24 * 60 * 60_000;
const KEYS_A_STEP = 5_000n;
const STEPS_A_BEAT = 20;
const DROP_ATTEMPTS = 50;
const BETWEEN_DROPS_MS = 200;

/**
 * Drops whole partitions of the log when all in them is older than it must be kept. In steps that a crash may part: hidden
 * from readers organisation by organisation, each with its audit event; the ledger pruned behind it; the table dropped.
 */
@Injectable()
export class EventRetention {
  constructor(
    private readonly database: Database,
    private readonly partitions: EventPartitionRepository,
    private readonly retention: EventRetentionRepository,
    private readonly audit: AuditService,
    private readonly runs: OperationRuns,
    private readonly configuration: Configuration,
  ) {}

  /** Answers the names of the partitions that it has dropped. */
  async dropOld(now: Date): Promise<string[]> {
    const dropped: string[] = [];
    for (const partition of await this.work((tx) => this.partitions.all(tx))) {
      // Oldest first, and none before the one below it: readers begin where the log begins.
      if (partition.status === 'open' && !(await this.isDue(partition, now))) break;
      const what = { type: 'event_retention', subject: partition.name, initiator: 'ipm' };
      if (!(await this.runs.run(what, (run) => this.goOn(partition, run)))) break;
      dropped.push(partition.name);
    }
    return dropped;
  }

  private async isDue({ name, to, fullAt }: EventPartition, now: Date): Promise<boolean> {
    const { retentionDays, retentionMaxDays } = this.configuration.events;
    if (!fullAt || now.getTime() - fullAt.getTime() < retentionDays * DAY_MS) return false;
    const readers = await this.work((tx) => this.retention.readersBefore(tx, to));
    if (readers.length === 0) return true;
    const isOverdue = now.getTime() - fullAt.getTime() >= retentionMaxDays * DAY_MS;
    log.warn(
      { partition: name, readers },
      isOverdue ? 'retention goes over readers that are too late' : 'retention waits for readers',
    );
    return isOverdue;
  }

  /** From where it stands, whoever has worked at it before. */
  async goOn(partition: EventPartition, run: RunningOperation): Promise<OperationResult> {
    const counts = { organisations: 0, events: 0, keys: 0 };
    await this.work((tx) => this.partitions.retire(tx, partition.name));
    for (let orgcode: string | undefined = ''; ;) {
      const share = await this.hideNext(partition, orgcode, run.id);
      if (!share) break;
      orgcode = share.orgcode;
      counts.organisations += 1;
      counts.events += Number(share.events);
      await run.beat(counts);
    }
    await this.pruneLedger(partition, counts, run);
    await this.dropTable(partition.name);
    return { outcome: 'succeeded', counts, message: `The events of partition ${partition.name} are dropped.` };
  }

  private hideNext(partition: EventPartition, afterOrgcode: string, runId: number): Promise<DroppedShare | undefined> {
    return this.work(async (tx) => {
      const share = await this.retention.nextShare(tx, partition, afterOrgcode);
      if (!share) return undefined;
      const after = { events: Number(share.events), dropped_to_position: String(share.lastPosition) };
      await this.audit.recordOwnAct(tx, share.orgcode, 'cdc/retention', {
        resource: { type: 'event_partition', id: partition.name },
        after,
        reason: `older than ${this.configuration.events.retentionDays} days`,
        requestId: `operation_run:${runId}`,
      });
      await this.retention.hide(tx, share); // after the audit: the lock order of every write
      return share;
    });
  }

  private async pruneLedger(
    partition: EventPartition,
    counts: { organisations: number; events: number; keys: number },
    run: RunningOperation,
  ): Promise<void> {
    const last = await this.work((tx) => this.retention.lastIn(tx, partition));
    for (let [from, step] = [partition.from, 1]; from <= last; from += KEYS_A_STEP, step += 1) {
      counts.keys += await this.work((tx) => this.retention.pruneKeys(tx, from, from + KEYS_A_STEP));
      if (step % STEPS_A_BEAT === 0) await run.beat(counts);
    }
  }

  /** The lock that it needs stops all readers while it is waited for: a short wait, often. */
  private async dropTable(name: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.work((tx) => this.partitions.drop(tx, name));
      } catch (error) {
        const isBusy = error instanceof AppError && error.failure === platformErrors.databaseBusy;
        if (!isBusy || attempt === DROP_ATTEMPTS) throw error;
        await sleep(BETWEEN_DROPS_MS);
      }
    }
  }

  private work<T>(work: (tx: SystemTx) => Promise<T>): Promise<T> {
    return this.database.acrossOrganisations('retention', work);
  }
}

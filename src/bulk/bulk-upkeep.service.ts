import { Injectable } from '@nestjs/common';
import { AuditService } from '../audit/audit.service.js';
import { Configuration } from '../platform/config/configuration.js';
import { Database } from '../platform/database/database.js';
import type { SystemTx } from '../platform/database/transaction.js';
import { ObjectStore } from '../platform/object-store/object-store.js';
import { outputKey, reportKey, uploadKey } from './bulk-files.js';
import type { BulkJobRecord } from './bulk-job.repository.js';
import { BulkJobView } from './bulk-job-view.service.js';
import { UPLOAD_SECONDS } from './bulk-limits.js';
import { BulkUpkeepRepository } from './bulk-upkeep.repository.js';
import { bulkFailures } from './bulk.errors.js';

const AT_ONCE = 200;
const DAY_MS = 24 * 60 * 60_000;

/** Ends imports that nobody commits, deletes files after their time, and forgets jobs as old as the oldest events. */
@Injectable()
export class BulkUpkeep {
  constructor(
    private readonly database: Database,
    private readonly upkeep: BulkUpkeepRepository,
    private readonly view: BulkJobView,
    private readonly audit: AuditService,
    private readonly store: ObjectStore,
    private readonly configuration: Configuration,
  ) {}

  async run(now: Date): Promise<{ expired: number; cleared: number; forgotten: number }> {
    const { bulk, events } = this.configuration;
    const before = (ageMs: number): Date => new Date(now.getTime() - ageMs);
    const expired = await this.across((tx) => this.upkeep.awaitingSince(tx, before(UPLOAD_SECONDS * 1_000), AT_ONCE));
    for (const job of expired) await this.expire(job);
    const old = await this.across((tx) =>
      this.upkeep.withFilesEndedBefore(tx, before(bulk.fileDays * DAY_MS), AT_ONCE),
    );
    for (const job of old) await this.clear(job);
    const forgotten = await this.across((tx) => this.upkeep.forget(tx, before(events.retentionDays * DAY_MS), AT_ONCE));
    return { expired: expired.length, cleared: old.length, forgotten };
  }

  private expire(job: BulkJobRecord): Promise<void> {
    const { orgcode, jobId } = job;
    return this.database.transaction(orgcode, async (tx) => {
      const ended = await this.upkeep.expire(tx, job, bulkFailures.uploadExpired);
      if (!ended) return;
      await this.audit.recordOwnAct(tx, orgcode, 'bulk/import/expire', {
        reason: bulkFailures.uploadExpired.message,
        requestId: `bulk-expire-${jobId}`,
        resource: { type: 'bulk_job', id: jobId },
        before: this.view.of(job),
        after: this.view.of(ended),
      });
    });
  }

  /** Deleting what is not there is no error, so a round that was cut off is done again. */
  private async clear(job: BulkJobRecord): Promise<void> {
    const { prefix, contentType, inputKey, jobType, pins } = job;
    const output = outputKey(prefix, contentType);
    if (jobType === 'export') await this.store.discardParts(output);
    const own = [uploadKey(prefix), reportKey(prefix), output, ...pins.filter((key) => key !== inputKey)];
    const takesInput = inputKey !== null && (await this.lastReader(job)) === job.jobId;
    for (const key of takesInput ? [...own, inputKey] : own) await this.store.delete(key);
    await this.database.transaction(job.orgcode, (tx) => this.upkeep.filesDeleted(tx, job));
  }

  private lastReader(job: BulkJobRecord): Promise<string | undefined> {
    return this.database.read(job.orgcode, (db) => this.upkeep.lastReader(db, job));
  }

  private across<T>(work: (tx: SystemTx) => Promise<T>): Promise<T> {
    return this.database.acrossOrganisations('bulk work', work);
  }
}

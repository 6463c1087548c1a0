import { Injectable } from '@nestjs/common';
import { WriteService, type Written } from '../audit/write.service.js';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/transaction.js';
import { AppError } from '../platform/errors/app-error.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { ObjectAbsent, ObjectChanged } from '../platform/object-store/object-store-failures.js';
import { MAX_UPLOAD_BYTES, ObjectStore, type ObjectStat } from '../platform/object-store/object-store.js';
import { log } from '../platform/telemetry/logger.js';
import { inputKey, newPrefix, NDJSON_TYPE, UPLOAD_TYPES, uploadKey } from './bulk-files.js';
import { bulkJobLifecycle } from './bulk-job-lifecycle.js';
import { BulkJobRepository, type BulkJobRecord } from './bulk-job.repository.js';
import { BulkJobView } from './bulk-job-view.service.js';
import { UPLOAD_SECONDS } from './bulk-limits.js';
import { BulkOrders } from './bulk-orders.service.js';
import type {
  BulkImportCommitRequest,
  BulkImportContinueRequest,
  BulkImportCreated,
  BulkImportCreateRequest,
  BulkJob,
  BulkJobData,
} from './bulk.dto.js';
import { bulkErrors } from './bulk.errors.js';

interface Pinned {
  key: string;
  sizeBytes: number;
}

/** Imports as they are ordered: a place to upload to, then what was uploaded, then a worker's. */
@Injectable()
export class BulkImports {
  constructor(
    private readonly writes: WriteService,
    private readonly database: Database,
    private readonly jobs: BulkJobRepository,
    private readonly orders: BulkOrders,
    private readonly view: BulkJobView,
    private readonly store: ObjectStore,
  ) {}

  create(caller: Caller, request: BulkImportCreateRequest): Promise<Answer<BulkImportCreated>> {
    const contentType = (request.content_type ?? NDJSON_TYPE).toLowerCase();
    const insert = async (tx: Tx): Promise<Written<BulkImportCreated>> => {
      const record = await this.orders.insert(tx, caller, request, request.job_id, {
        jobType: 'import',
        status: 'awaiting_upload',
        contentType,
        prefix: newPrefix(),
        resumeFromLine: 1n,
      });
      const { data, ...rest } = this.orders.written(record);
      return { ...rest, data: { ...data, upload_url: await this.uploadUrl(record) } };
    };
    return this.writes.once(caller, request, insert, {
      secretAnswer: true, // whoever has the address may upload
      precondition: () => {
        if (!UPLOAD_TYPES.includes(contentType)) throw new AppError(bulkErrors.contentTypeUnknown);
      },
    });
  }

  async commit(caller: Caller, request: BulkImportCommitRequest): Promise<Answer<BulkJobData>> {
    let pinned: Pinned | undefined;
    try {
      const pin = async (): Promise<Pinned> => (pinned = await this.pin(caller.orgcode, request));
      return await this.writes.onceAfter(caller, request, pin, (tx, input) => this.queue(tx, caller, request, input));
    } finally {
      if (pinned) await this.discardUnused(caller.orgcode, request.job_id, pinned);
    }
  }

  continue(caller: Caller, request: BulkImportContinueRequest): Promise<Answer<BulkJobData>> {
    const { orgcode } = caller;
    return this.writes.once(caller, request, async (tx) => {
      const source = await this.orders.ended(tx, orgcode, request.job_id, 'import');
      const { inputKey: key, inputBytes, filesDeletedAt } = source;
      if (key === null || filesDeletedAt !== null) throw new AppError(bulkErrors.uploadGone);
      const resumeFromLine = BigInt(request.resume_from_line ?? source.lineCount + 1n);
      const record = await this.orders.insert(tx, caller, request, request.new_job_id, {
        jobType: 'import',
        status: 'queued',
        contentType: source.contentType,
        prefix: newPrefix(),
        continues: source.jobId,
        inputKey: key,
        inputBytes,
        resumeFromLine,
        ...placeBefore(source, resumeFromLine),
      });
      return this.orders.written(record);
    });
  }

  private uploadUrl({ prefix, contentType, createdAt }: BulkJobRecord): Promise<string> {
    return this.store.uploadUrl(uploadKey(prefix), {
      contentType,
      openedAt: createdAt,
      lifetimeSeconds: UPLOAD_SECONDS,
    });
  }

  /** A copy that nobody can overwrite; the upload address works on, and leads nowhere that matters. */
  private async pin(orgcode: string, request: BulkImportCommitRequest): Promise<Pinned> {
    const record = await this.database.read(orgcode, (db) => this.jobs.find(db, orgcode, request.job_id));
    const { prefix, jobId } = this.committable(record, request).record;
    const upload = await this.store.stat(uploadKey(prefix));
    if (!upload) throw new AppError(bulkErrors.uploadMissing);
    if (upload.sizeBytes !== (request.size_bytes ?? upload.sizeBytes)) throw new AppError(bulkErrors.uploadIncomplete);
    if (upload.sizeBytes > MAX_UPLOAD_BYTES) throw new AppError(bulkErrors.uploadTooLarge);
    const key = inputKey(prefix);
    await this.database.transaction(orgcode, (tx) => this.jobs.notePin(tx, orgcode, jobId, key));
    const { sizeBytes } = await this.copied(uploadKey(prefix), key, upload.version);
    return { key, sizeBytes };
  }

  private async copied(from: string, to: string, version: string): Promise<ObjectStat> {
    try {
      return await this.store.pin(from, to, version);
    } catch (error) {
      if (error instanceof ObjectChanged || error instanceof ObjectAbsent)
        throw new AppError(bulkErrors.uploadChanged, { cause: error });
      throw error;
    }
  }

  private async queue(
    tx: Tx,
    caller: Caller,
    request: BulkImportCommitRequest,
    { key, sizeBytes }: Pinned,
  ): Promise<Written<BulkJobData>> {
    const { orgcode } = caller;
    const { record, shown } = this.committable(await this.jobs.findForUpdate(tx, orgcode, request.job_id), request);
    const queued = await this.orders.queued(tx, caller, 'import', record.jobId);
    const input = { ...queued, inputKey: key, inputBytes: BigInt(sizeBytes) };
    return this.orders.written(await this.jobs.queue(tx, orgcode, record.jobId, input), shown);
  }

  private committable(
    record: BulkJobRecord | undefined,
    { expected_revision }: BulkImportCommitRequest,
  ): { record: BulkJobRecord; shown: BulkJob } {
    if (!record) throw new AppError(bulkErrors.notFound);
    if (record.jobType !== 'import') throw new AppError(bulkErrors.otherType);
    const shown = this.view.of(record);
    if (shown.revision !== expected_revision)
      throw new AppError(platformErrors.revisionStale, { conflictSnapshot: shown });
    bulkJobLifecycle.assertStep(shown.status, 'queued');
    return { record, shown };
  }

  /** A commit that was refused, or repeated, has made a copy that no import reads. */
  private async discardUnused(orgcode: string, jobId: string, { key }: Pinned): Promise<void> {
    try {
      // Locked, because a commit whose answer was lost may still be on its way.
      const record = await this.database.transaction(orgcode, (tx) => this.jobs.findForUpdate(tx, orgcode, jobId));
      if (record?.inputKey === key) return await this.store.delete(uploadKey(record.prefix));
      await this.store.delete(key);
      await this.database.transaction(orgcode, (tx) => this.jobs.forgetPin(tx, orgcode, jobId, key));
    } catch (error) {
      log.warn({ err: error, orgcode, job_id: jobId }, 'an object of an import is left over; it goes with the job');
    }
  }
}

/** A continuation that skips everything its source has read need not read it again. */
function placeBefore({ lineCount, readBytes }: BulkJobRecord, resumeFromLine: bigint): Partial<BulkJobRecord> {
  return resumeFromLine > lineCount ? { lineCount, readBytes, skippedLines: lineCount } : {};
}

import { Injectable } from '@nestjs/common';
import { AppError } from '../platform/errors/app-error.js';
import type { Caller } from '../platform/http/caller.js';
import { RevisionedRecords } from '../platform/http/operation.js';
import { clampLimit, Paging, type Page } from '../platform/http/paging.js';
import { ObjectStore } from '../platform/object-store/object-store.js';
import { NDJSON_TYPE } from './bulk-files.js';
import { BulkJobRepository, type ShownBulkJob } from './bulk-job.repository.js';
import { BulkJobView } from './bulk-job-view.service.js';
import { DOWNLOAD_SECONDS } from './bulk-limits.js';
import type { BulkJob, BulkJobListRequest, BulkJobWithFiles } from './bulk.dto.js';
import { bulkErrors } from './bulk.errors.js';

/** Jobs as one may see them. */
@Injectable()
export class BulkReading extends RevisionedRecords {
  constructor(
    private readonly jobs: BulkJobRepository,
    private readonly view: BulkJobView,
    private readonly store: ObjectStore,
    private readonly paging: Paging,
  ) {
    super();
  }

  /** With addresses of its files, while there are any. */
  async get({ orgcode }: Caller, jobId: string): Promise<BulkJobWithFiles> {
    const record = await this.jobs.read(orgcode, jobId);
    if (!record) throw new AppError(bulkErrors.notFound);
    const files = record.filesDeletedAt === null ? await this.filesOf(record) : {};
    return { job: this.view.of(record), ...files };
  }

  async snapshot(orgcode: string, { job_id }: Readonly<Record<string, unknown>>): Promise<object | undefined> {
    const record = typeof job_id === 'string' ? await this.jobs.read(orgcode, job_id) : undefined;
    return record ? this.view.of(record) : undefined;
  }

  async list({ orgcode }: Caller, { status, job_type, ...request }: BulkJobListRequest): Promise<Page<BulkJob>> {
    const limit = clampLimit(request.limit);
    const scope = { orgcode, list: 'bulk/job/list', filters: { status, job_type } };
    const [createdAt, jobId] = this.paging.positionAfter(request.next_token, scope) ?? [];
    const after = createdAt === undefined ? undefined : { createdAt: new Date(createdAt), jobId: String(jobId) };
    const rows = await this.jobs.page(orgcode, { status, jobType: job_type }, after, limit + 1);
    return this.paging.page(rows, limit, scope, {
      position: (row) => [row.createdAt.toISOString(), row.jobId],
      item: (row) => this.view.of(row),
    });
  }

  private async filesOf(record: ShownBulkJob): Promise<Omit<BulkJobWithFiles, 'job'>> {
    const { outputKey, reportKey, contentType } = record;
    return {
      ...(outputKey && { download_url: await this.download(record, outputKey, contentType) }),
      ...(reportKey && { report_url: await this.download(record, reportKey, NDJSON_TYPE) }),
    };
  }

  private download({ jobId }: ShownBulkJob, key: string, contentType: string): Promise<string> {
    return this.store.downloadUrl(key, {
      fileName: `${jobId}-${key.slice(key.lastIndexOf('/') + 1)}`,
      contentType,
      openedAt: new Date(),
      lifetimeSeconds: DOWNLOAD_SECONDS,
    });
  }
}

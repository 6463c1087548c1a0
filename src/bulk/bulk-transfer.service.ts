import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { AppError } from '../platform/errors/app-error.js';
import { ObjectStore } from '../platform/object-store/object-store.js';
import { uploadKey } from './bulk-files.js';
import { BulkJobRepository, type BulkJobRecord } from './bulk-job.repository.js';
import { bulkErrors } from './bulk.errors.js';

/** Files of jobs for whoever reaches the store itself, and needs no address: the command line. */
@Injectable()
export class BulkTransfer {
  constructor(
    private readonly database: Database,
    private readonly jobs: BulkJobRepository,
    private readonly store: ObjectStore,
  ) {}

  async upload(orgcode: string, jobId: string, body: Readable, lengthBytes: number): Promise<void> {
    const { prefix, contentType } = await this.find(orgcode, jobId);
    await this.store.put(uploadKey(prefix), body, { lengthBytes, contentType });
  }

  /** Null where the job has no such file. */
  async open(orgcode: string, jobId: string, which: 'outputKey' | 'reportKey'): Promise<Readable | null> {
    const key = (await this.find(orgcode, jobId))[which];
    return key === null ? null : this.store.get(key);
  }

  private async find(orgcode: string, jobId: string): Promise<BulkJobRecord> {
    const record = await this.database.read(orgcode, (db) => this.jobs.find(db, orgcode, jobId));
    if (!record) throw new AppError(bulkErrors.notFound);
    return record;
  }
}

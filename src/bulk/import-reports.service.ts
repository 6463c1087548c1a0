import { Injectable } from '@nestjs/common';
import { ObjectStore } from '../platform/object-store/object-store.js';
import { NDJSON_TYPE, reportKey } from './bulk-files.js';
import { MAX_REPORTED_LINES } from './bulk-limits.js';
import type { BulkJobRecord } from './bulk-job.repository.js';
import type { ClaimedJob } from './bulk-work.repository.js';
import { ImportChunkRepository } from './import-chunk.repository.js';
import { JobLost } from './job-lease.js';

/** The lines that an import refused, as a file. */
@Injectable()
export class ImportReports {
  constructor(
    private readonly chunks: ImportChunkRepository,
    private readonly store: ObjectStore,
  ) {}

  /** Answers its key. Throws JobLost rather than write over the report of whoever has the job by now. */
  async write({ prefix }: BulkJobRecord, claimed: ClaimedJob, errors: number): Promise<string> {
    const reported = await this.chunks.reported(claimed);
    if (!reported) throw new JobLost(claimed);
    return this.put(prefix, reported, errors);
  }

  async put(prefix: string, reported: object[], errors: number): Promise<string> {
    const unnamed = errors - reported.length;
    const cap = {
      capped: true,
      named_count: reported.length,
      error_count: errors,
      message: `A report names ${MAX_REPORTED_LINES} lines at most; ${unnamed} more were refused.`,
    };
    const lines = unnamed > 0 ? [...reported, cap] : reported;
    const key = reportKey(prefix);
    await this.store.put(key, Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join('')), {
      contentType: NDJSON_TYPE,
    });
    return key;
  }
}

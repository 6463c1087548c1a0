import { Injectable } from '@nestjs/common';
import { CatalogMoved } from '../cdc/event-appender.service.js';
import { entryColumns, type LogEntry } from '../cdc/event-intake.service.js';
import { Configuration } from '../platform/config/configuration.js';
import { binaryTextArray } from '../platform/database/binary-array.js';
import { hasCode } from '../platform/database/database-errors.js';
import { Database } from '../platform/database/database.js';
import type { ClaimedJob } from './bulk-work.repository.js';
import type { ReportedLine } from './reported-line.js';

const CATALOG_MOVED = 'IPM01';

/** Of the whole job, so that a chunk that is done twice by mistake counts once. */
export interface ImportCheckpoint {
  lines: number;
  bytes: number;
  processed: number;
  errors: number;
  skipped: number;
}

export interface CheckedChunk {
  /** Each event once; IPM's own last. */
  entries: readonly LogEntry[];
  ownCount: number;
  catalogVersion: bigint;
  reported: readonly ReportedLine[];
}

/** What an import writes. */
@Injectable()
export class ImportChunkRepository {
  constructor(
    private readonly database: Database,
    private readonly configuration: Configuration,
  ) {}

  /** One transaction. Answers whether the job is still the caller's; throws `CatalogMoved`. */
  async write(
    { orgcode, jobId, fence }: ClaimedJob,
    { lines, bytes, processed, errors, skipped }: ImportCheckpoint,
    { entries, ownCount, catalogVersion, reported }: CheckedChunk,
  ): Promise<boolean> {
    const { bulk, events } = this.configuration;
    const job = [jobId, fence, bulk.leaseSeconds, lines, bytes, processed, errors, skipped, JSON.stringify(reported)];
    const log = [catalogVersion, events.maxPushAgeSeconds, ownCount, ...entryColumns(entries).map(binaryTextArray)];
    try {
      const [written] = await this.database.call<{ isOurs: boolean }>(orgcode, {
        name: 'ipm_import_chunk',
        call: `ipm_import_chunk(o.orgcode, $2, $3, make_interval(secs => $4), $5, $6, $7, $8, $9, $10::jsonb, $11,
          make_interval(secs => $12), $13, $14::text[], $15::text[]::timestamptz[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[])`,
        values: [...job, ...log],
      });
      return written?.isOurs === true;
    } catch (error) {
      throw hasCode(error, CATALOG_MOVED) ? new CatalogMoved() : error;
    }
  }

  /**
   * By line, as the report has them; undefined where the job is another's by now, who takes them away with its end. One statement, so
   * that the answer to both is of one moment.
   */
  async reported({ orgcode, jobId, fence }: ClaimedJob): Promise<ReportedLine[] | undefined> {
    const [job] = await this.database.read(
      orgcode,
      (db) => db.$queryRaw<{ lines: ReportedLine[] }[]>`
        select (select coalesce(jsonb_agg(e.entry order by e.line), '[]') from bulk_error e
          where e.orgcode = j.orgcode and e.job_id = j.job_id) as lines
        from bulk_job j where j.orgcode = ${orgcode} and j.job_id = ${jobId} and j.fence = ${fence} and j.status = 'running'`,
    );
    return job?.lines;
  }
}

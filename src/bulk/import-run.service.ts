import { Injectable } from '@nestjs/common';
import { CatalogMoved } from '../cdc/event-appender.service.js';
import {
  EventIntake,
  mergeEntries,
  type EventSource,
  type IntakeBatch,
  type LogEntry,
  type PublishedEvent,
} from '../cdc/event-intake.service.js';
import { OWN_SERVICE } from '../cdc/own-events.service.js';
import { AppError } from '../platform/errors/app-error.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { MAX_REPORTED_LINES } from './bulk-limits.js';
import { BulkMeters } from './bulk-meters.service.js';
import type { BulkJobRecord } from './bulk-job.repository.js';
import type { JobEnd } from './bulk-work.repository.js';
import { ImportAppend } from './import-append.service.js';
import type { CheckedChunk, ImportCheckpoint } from './import-chunk.repository.js';
import { judgeLine, reportedLine } from './import-line.js';
import { ImportReports } from './import-reports.service.js';
import { ImportSource, type LineChunk } from './import-source.js';
import type { JobLease } from './job-lease.js';

const MAX_CHECKS = 5;
const CHECKED_AT_ONCE = 32;

/** Reads an upload into the log: while one chunk is being committed, the next is read and checked. */
@Injectable()
export class ImportRun {
  constructor(
    private readonly source: ImportSource,
    private readonly intake: EventIntake,
    private readonly append: ImportAppend,
    private readonly reports: ImportReports,
    private readonly stop: GracefulStop,
    private readonly meters: BulkMeters,
  ) {}

  /** Undefined where the process stops before the end: the checkpoint says how far it is. */
  async work(job: BulkJobRecord, lease: JobLease): Promise<JobEnd | undefined> {
    const reading = new Reading(job, lease);
    let committing = Promise.resolve();
    try {
      for await (const chunk of this.source.chunks(job)) {
        const batch = await this.check(reading, chunk);
        await committing;
        if (this.stop.isStopping) return undefined;
        committing = this.commit(reading, chunk, batch);
        committing.catch(() => undefined); // whoever awaits it next gets it
      }
    } finally {
      await committing;
    }
    return this.done(reading);
  }

  private async done({ job, lease, at }: Reading): Promise<JobEnd> {
    const reportKey = at.errors > 0 ? await this.reports.write(job, lease.job, at.errors) : undefined;
    return { status: 'completed', ...(reportKey !== undefined && { reportKey }) };
  }

  /** Few at a time: parsed events that outlive their neighbours cost the garbage collector more than checking them costs. */
  private async check({ job, contextOf }: Reading, chunk: LineChunk): Promise<IntakeBatch> {
    const nowMs = Date.now();
    const source: EventSource = { orgcode: job.orgcode, origin: 'import', reason: job.reason, contextOf };
    const whole: IntakeBatch = { catalogVersion: 0n, items: [] };
    for (let from = 0; from < chunk.lines.length; from += CHECKED_AT_ONCE) {
      const lines = chunk.lines.slice(from, from + CHECKED_AT_ONCE);
      const judged = lines.map((line) => judgeLine(line, job.orgcode, nowMs));
      const { catalogVersion, items } = await this.intake.take(judged, source);
      if (from === 0 || catalogVersion < whole.catalogVersion) whole.catalogVersion = catalogVersion;
      whole.items.push(...items);
    }
    return whole;
  }

  private async commit(reading: Reading, chunk: LineChunk, first: IntakeBatch): Promise<void> {
    for (let [batch, attempt] = [first, 1]; ; attempt += 1) {
      try {
        await this.write(reading, chunk, batch);
        return;
      } catch (error) {
        if (!(error instanceof CatalogMoved)) throw error;
        if (attempt === MAX_CHECKS) throw new AppError(platformErrors.databaseBusy, { cause: error });
        this.intake.forget(reading.job.orgcode);
        batch = await this.check(reading, chunk);
      }
    }
  }

  private async write(reading: Reading, chunk: LineChunk, { items, catalogVersion }: IntakeBatch): Promise<void> {
    const refused = items.flatMap((item, i) => {
      const line = chunk.lines[i];
      return 'rejection' in item && line ? [{ line, rejection: item.rejection }] : [];
    });
    const entries = items.flatMap((item) => ('entry' in item ? [item.entry] : []));
    const next = reading.after(chunk, refused.length);
    const reported = refused.slice(0, Math.max(0, MAX_REPORTED_LINES - reading.at.errors)).map(reportedLine);
    const checked = { ...ownLast(mergeEntries(entries)), catalogVersion, reported };
    await this.append.write(reading.lease, next, checked);
    reading.at = next;
    this.meters.imported(entries.length, refused.length);
  }
}

/** They are history, and were pushed when they were new. */
function ownLast(entries: readonly LogEntry[]): Pick<CheckedChunk, 'entries' | 'ownCount'> {
  const own = entries.filter(({ service }) => service === OWN_SERVICE);
  if (own.length === 0) return { entries, ownCount: 0 };
  return { entries: [...entries.filter(({ service }) => service !== OWN_SERVICE), ...own], ownCount: own.length };
}

/** An import while it runs, and where it is. */
class Reading {
  at: ImportCheckpoint;

  constructor(
    readonly job: BulkJobRecord,
    readonly lease: JobLease,
  ) {
    const { lineCount, readBytes, processedCount, errorCount, skippedLines } = job;
    this.at = {
      lines: Number(lineCount),
      bytes: Number(readBytes),
      processed: Number(processedCount),
      errors: Number(errorCount),
      skipped: Number(skippedLines),
    };
  }

  /** Who imports, and of what the line says of its context only where it belongs. */
  readonly contextOf = ({ request_context }: PublishedEvent): object => {
    const own = this.job.requestContext as object;
    if (!request_context) return own;
    const { logical_guid, channel_code, cccode } = request_context;
    return { ...own, ...whereGiven({ logical_guid, channel_code, cccode }) };
  };

  after({ lines, skipped, endsAt }: LineChunk, refused: number): ImportCheckpoint {
    return {
      lines: endsAt.line,
      bytes: endsAt.byte,
      processed: this.at.processed + lines.length - refused,
      errors: this.at.errors + refused,
      skipped: this.at.skipped + skipped,
    };
  }
}

function whereGiven(fields: Readonly<Record<string, string | undefined>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}

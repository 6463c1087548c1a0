import { Injectable } from '@nestjs/common';
import { LogExport, type ExportedPage } from '../cdc/log-export.service.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { MAX_PARTS, type PartTag } from '../platform/object-store/object-parts.js';
import { ObjectChanged, UploadGone } from '../platform/object-store/object-store-failures.js';
import { ObjectStore } from '../platform/object-store/object-store.js';
import { GZIP_TYPE, outputKey } from './bulk-files.js';
import { BulkMeters } from './bulk-meters.service.js';
import type { BulkJobRecord } from './bulk-job.repository.js';
import { filtersOf } from './bulk.mapper.js';
import { BulkWorkRepository, type ExportCheckpoint, type JobEnd } from './bulk-work.repository.js';
import type { JobLease } from './job-lease.js';
import { PartWriter } from './part-writer.js';

const RECORDS_A_PAGE = 250;
const PART_BYTES = 5 * 1024 * 1024;

/** Writes what passes of the log into a file, a part at a time: what a crash costs is the part that is being gathered. */
@Injectable()
export class ExportRun {
  constructor(
    private readonly store: ObjectStore,
    private readonly log: LogExport,
    private readonly jobs: BulkWorkRepository,
    private readonly stop: GracefulStop,
    private readonly meters: BulkMeters,
  ) {}

  /** Undefined where the process stops before the end: the checkpoint says how far it is. */
  async work(job: BulkJobRecord, lease: JobLease): Promise<JobEnd | undefined> {
    const writing = new Writing(job, lease);
    try {
      return (await this.writePages(writing)) ? await this.done(writing) : undefined;
    } catch (error) {
      const isLost = error instanceof UploadGone || error instanceof ObjectChanged;
      if (!isLost) throw error;
      writing.begin(); // the store has forgotten the parts, or a worker that had lost the job has replaced one
      lease.assertOurs(await this.jobs.keepExport(lease.job, writing.checkpoint));
      throw error;
    }
  }

  /** Answers whether it came to the end; reads the next page while the one before is being written. */
  private async writePages(writing: Writing): Promise<boolean> {
    if (writing.isFull) return true;
    let reading = this.read(writing);
    for (;;) {
      const page = await reading;
      writing.passed(page);
      this.meters.exported(page.lines.length);
      const isLast = page.isLast || writing.isFull;
      if (!isLast) {
        reading = this.read(writing);
        reading.catch(() => undefined); // whoever awaits it next gets it
      }
      await writing.parts.write(page.lines);
      if (isLast) return true;
      if (writing.parts.bytes >= PART_BYTES) await this.keepPart(writing);
      if (this.stop.isStopping) return false;
      writing.lease.assertOurs();
    }
  }

  private read({ job, at, recordsLeft }: Writing): Promise<ExportedPage> {
    const limit = Math.min(RECORDS_A_PAGE, recordsLeft);
    return this.log.page(job.orgcode, filtersOf(job), at.position, job.endPosition ?? 0n, limit);
  }

  private async keepPart(writing: Writing): Promise<void> {
    await this.putPart(writing);
    writing.lease.assertOurs(await this.jobs.keepExport(writing.lease.job, writing.checkpoint));
  }

  private async putPart(writing: Writing): Promise<void> {
    const { key, job, tags } = writing;
    writing.uploadId ||= await this.openParts(writing, job.contentType);
    tags.push(await this.store.putPart(key, writing.uploadId, tags.length + 1, await writing.parts.take()));
  }

  /** What a worker that is lost has opened and not written down goes first. */
  private async openParts({ key, lease }: Writing, contentType: string): Promise<string> {
    lease.assertOurs(await this.jobs.extend(lease.job)); // or those of whoever has the job by now would go
    await this.store.discardParts(key);
    return this.store.openParts(key, { contentType });
  }

  private async done(writing: Writing): Promise<JobEnd> {
    const { key, at } = writing;
    writing.lease.assertOurs();
    const outputBytes = BigInt(await this.complete(writing));
    writing.lease.assertOurs();
    const output = { outputKey: key, outputBytes, position: at.position, recordCount: BigInt(at.records) };
    return { status: 'completed', output };
  }

  /** Answers the size of the file. A small one is written at once; of a large one the last part is written down too, so that whoever takes over after the completion finds the file. */
  private async complete(writing: Writing): Promise<number> {
    const { key, job, tags } = writing;
    if (tags.length === 0) {
      const whole = await writing.parts.take();
      await this.store.put(key, whole, { contentType: job.contentType });
      return whole.length;
    }
    if (writing.parts.bytes > 0) await this.keepPart(writing);
    return (await this.store.completeParts(key, writing.uploadId, tags)).sizeBytes;
  }
}

/** An export while it runs: what is in its parts, and what is gathered for the next one. */
class Writing {
  readonly key: string;
  at: { position: bigint; records: number };
  tags: PartTag[];
  uploadId: string;
  parts: PartWriter;

  constructor(
    readonly job: BulkJobRecord,
    readonly lease: JobLease,
  ) {
    this.key = outputKey(job.prefix, job.contentType);
    this.at = { position: job.position ?? 0n, records: Number(job.recordCount) };
    this.tags = [...(job.parts as unknown as PartTag[])];
    this.uploadId = job.uploadId ?? '';
    this.parts = this.newParts();
  }

  get recordsLeft(): number {
    return (this.job.maxRecords ?? 0) - this.at.records;
  }

  /** `continue` goes on with what does not fit into one file. */
  get isFull(): boolean {
    return this.recordsLeft <= 0 || this.tags.length >= MAX_PARTS - 1;
  }

  get checkpoint(): ExportCheckpoint {
    const { at, uploadId, tags } = this;
    return { position: at.position, recordCount: BigInt(at.records), uploadId, parts: tags };
  }

  passed({ cursor, lines }: ExportedPage): void {
    this.at = { position: cursor, records: this.at.records + lines.length };
  }

  /** From the start again. */
  begin(): void {
    this.at = { position: this.job.startPosition ?? 0n, records: 0 };
    [this.tags, this.uploadId, this.parts] = [[], '', this.newParts()];
  }

  private newParts(): PartWriter {
    return PartWriter.for(this.job.contentType === GZIP_TYPE);
  }
}

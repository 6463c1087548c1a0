import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { OWN_SERVICE } from '../catalog/event-type.js';
import { isBlank, LineSplitter, type TextLine } from '../cdc/line-splitter.js';
import { itemInLine } from '../platform/http/body-parser.js';
import { ObjectStore } from '../platform/object-store/object-store.js';
import { GZIP_TYPE } from './bulk-files.js';
import { EVENTS_A_CHUNK, MAX_LINE_BYTES } from './bulk-limits.js';
import type { BulkJobRecord } from './bulk-job.repository.js';
import { bulkFailures } from './bulk.errors.js';
import { JobFailure } from './job-failure.js';
import { isUnpackingError, unpackedFrom } from './unpacked.js';

/** Of one chunk: bytes that are in memory, and lines that are only passed over. */
const BYTES_A_CHUNK = 4 * 1024 * 1024;
const LINES_A_CHUNK = 50_000;

export interface ImportLine extends TextLine {
  /** As it would come over HTTP; undefined for one that is too long. */
  item: unknown;
}

/** Lines for one transaction. */
export class LineChunk {
  readonly lines: ImportLine[] = [];
  skipped = 0;
  /** Where the next one begins. */
  endsAt = { line: 0, byte: 0 };
  private bytes = 0;

  /** IPM's own events are history, and go in by themselves. */
  isOwn = false;

  get isFull(): boolean {
    return (
      this.lines.length >= EVENTS_A_CHUNK ||
      this.bytes >= BYTES_A_CHUNK ||
      this.skipped + this.lines.length >= LINES_A_CHUNK
    );
  }

  get isEmpty(): boolean {
    return this.lines.length + this.skipped === 0;
  }

  takes(line: ImportLine): boolean {
    return this.lines.length === 0 || isOwn(line) === this.isOwn;
  }

  add(line: ImportLine): void {
    if (this.lines.length === 0) this.isOwn = isOwn(line);
    this.lines.push(line);
    this.bytes += line.bytes?.length ?? 0;
    this.passed(line);
  }

  skip(line: TextLine): void {
    this.skipped += 1;
    this.passed(line);
  }

  private passed({ number, nextOffset }: TextLine): void {
    this.endsAt = { line: number, byte: nextOffset };
  }
}

/** The lines of an upload, from where the job is. */
@Injectable()
export class ImportSource {
  constructor(private readonly store: ObjectStore) {}

  async *chunks(job: BulkJobRecord): AsyncGenerator<LineChunk> {
    const firstWanted = Number(job.resumeFromLine ?? 1n);
    let chunk = new LineChunk();
    for await (const lines of this.lines(job)) {
      for (const line of lines) {
        const read = line.number < firstWanted ? undefined : readLine(line);
        if (chunk.isFull || (read && !chunk.takes(read))) {
          yield chunk;
          chunk = new LineChunk();
        }
        if (read) chunk.add(read);
        else chunk.skip(line);
      }
    }
    if (!chunk.isEmpty) yield chunk;
  }

  /** As many at a time as come at a time. */
  private async *lines(job: BulkJobRecord): AsyncGenerator<TextLine[]> {
    const splitter = new LineSplitter(MAX_LINE_BYTES, { line: Number(job.lineCount), byte: Number(job.readBytes) });
    const bytes = await this.bytes(job);
    try {
      for await (const part of bytes) yield splitter.push(part as Buffer);
    } catch (error) {
      throw isUnpackingError(error) ? new JobFailure(bulkFailures.uploadUnreadable, { cause: error }) : error;
    } finally {
      bytes.destroy();
    }
    yield splitter.end();
  }

  private async bytes({ inputKey, inputBytes, contentType, readBytes }: BulkJobRecord): Promise<Readable> {
    const isPacked = contentType === GZIP_TYPE;
    const fromByte = Number(readBytes);
    const stored = await this.store.get(inputKey ?? '', isPacked ? {} : { fromByte });
    if (!stored) throw new JobFailure(bulkFailures.uploadGone);
    return isPacked ? unpackedFrom(stored, Number(inputBytes), fromByte) : stored;
  }
}

/** Undefined for one that has nothing to say. */
function readLine(line: TextLine): ImportLine | undefined {
  if (line.bytes === undefined) return { ...line, item: undefined };
  return isBlank(line.bytes) ? undefined : { ...line, item: itemInLine(line.bytes) };
}

function isOwn({ item }: ImportLine): boolean {
  return (item as { service?: unknown } | null | undefined)?.service === OWN_SERVICE;
}

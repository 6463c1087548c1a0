import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { isBlank, LineSplitter, type LinePlace, type TextLine } from '../platform/ndjson/line-splitter.js';
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

/** Lines for one transaction. */
export class LineChunk {
  readonly lines: TextLine[] = [];
  skipped = 0;
  /** Where the next one begins. */
  endsAt: LinePlace = { line: 0, byte: 0 };
  private bytes = 0;

  get isFull(): boolean {
    const { lines, bytes, skipped } = this;
    return lines.length >= EVENTS_A_CHUNK || bytes >= BYTES_A_CHUNK || skipped + lines.length >= LINES_A_CHUNK;
  }

  get isEmpty(): boolean {
    return this.lines.length + this.skipped === 0;
  }

  add(line: TextLine, isSkipped: boolean): void {
    if (isSkipped) this.skipped += 1;
    else this.lines.push(line);
    this.bytes += line.bytes?.length ?? 0;
    this.endsAt = { line: line.number, byte: line.nextOffset };
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
        chunk.add(line, line.number < firstWanted || (line.bytes !== undefined && isBlank(line.bytes)));
        if (!chunk.isFull) continue;
        yield chunk;
        chunk = new LineChunk();
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

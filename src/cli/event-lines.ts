import { isUtf8 } from 'node:buffer';
import { createReadStream, openSync } from 'node:fs';
import { MAX_PUBLISH_BYTES } from '../cdc/cdc.dto.js';
import { itemOf, UnreadableItem } from '../platform/http/body-parser.js';
import { CommandFailure, EXIT } from './failure.js';

const NEWLINE = 0x0a;

export interface EventLine {
  /** From 1, blank lines counted, as editors do. */
  number: number;
  /** As it would come over HTTP. */
  item: unknown;
}

/** More than a whole call over HTTP may have: not kept, because no memory is large enough for every line. */
export class TooLongLine extends UnreadableItem {}

/** A file, or standard input for `-`. */
export function openLines(file: string): AsyncIterable<Buffer> {
  try {
    return readable(file, file === '-' ? process.stdin : createReadStream('', { fd: openSync(file, 'r') }));
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** So many lines at once at most, and no more bytes than a call over HTTP may have, however large the file is. */
export async function* batchesOf(chunks: AsyncIterable<Buffer>, size: number): AsyncGenerator<EventLine[]> {
  let [batch, bytes, number]: [EventLine[], number, number] = [[], 0, 0];
  for await (const line of linesOf(chunks)) {
    number += 1;
    if (isBlank(line)) continue;
    batch.push({ number, item: itemIn(line) });
    bytes += line?.length ?? 0;
    if (batch.length < size && bytes < MAX_PUBLISH_BYTES) continue;
    yield batch;
    [batch, bytes] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}

/** Undefined stands for a line that is too long. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer | undefined> {
  let [parts, length]: [Buffer[], number] = [[], 0];
  const keep = (part: Buffer): void => {
    length += part.length;
    if (length > MAX_PUBLISH_BYTES) parts = [];
    else parts.push(part);
  };
  const line = (): Buffer | undefined => (length > MAX_PUBLISH_BYTES ? undefined : Buffer.concat(parts));
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      keep(chunk.subarray(from, end));
      yield line();
      [parts, length, from] = [[], 0, end + 1];
    }
    keep(chunk.subarray(from));
  }
  if (length > 0) yield line();
}

function isBlank(line: Buffer | undefined): boolean {
  return line?.every((byte) => byte <= 0x20) ?? false;
}

/** What is not UTF-8 would come back as something else than was sent. */
function itemIn(line: Buffer | undefined): unknown {
  if (line === undefined) return new TooLongLine();
  return isUtf8(line) ? itemOf(line.toString('utf8').replace(/^\ufeff/, '')) : new UnreadableItem();
}

async function* readable(file: string, stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* stream;
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, cause: unknown): CommandFailure {
  const { code } = cause as NodeJS.ErrnoException;
  return new CommandFailure(EXIT.wrongUsage, 'event_file_unusable', `${file} cannot be read (${code}).`, { cause });
}

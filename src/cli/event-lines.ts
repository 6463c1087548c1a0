import { createReadStream, openSync } from 'node:fs';
import { MAX_PUBLISH_BYTES } from '../cdc/cdc.dto.js';
import { isBlank, LineSplitter, type TextLine } from '../platform/ndjson/line-splitter.js';
import { itemInLine, UnreadableItem } from '../platform/http/body-parser.js';
import { CommandFailure, EXIT } from './failure.js';

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
  let [batch, bytes]: [EventLine[], number] = [[], 0];
  for await (const { number, bytes: line } of linesOf(chunks)) {
    if (line && isBlank(line)) continue;
    batch.push({ number, item: itemIn(line) });
    bytes += line?.length ?? 0;
    if (batch.length < size && bytes < MAX_PUBLISH_BYTES) continue;
    yield batch;
    [batch, bytes] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}

async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<TextLine> {
  const splitter = new LineSplitter(MAX_PUBLISH_BYTES);
  for await (const chunk of chunks) yield* splitter.push(chunk);
  yield* splitter.end();
}

function itemIn(line: Buffer | undefined): unknown {
  return line === undefined ? new TooLongLine() : itemInLine(line);
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

import { Readable } from 'node:stream';

/** Something is wrong with a body and not with the store: the cause says what. */
export class BodyBroke extends Error {
  constructor(cause: unknown) {
    super('the body broke', { cause });
  }
}

/** The same bytes, but a BodyBroke if they are more or fewer than announced: a cut object must not look complete. */
export function exactly(lengthBytes: number | undefined, body: Readable): Readable {
  if (lengthBytes === undefined) throw new Error('a stream can be put only with its lengthBytes');
  return readAs(body, (error) => new BodyBroke(error), counted(lengthBytes, body));
}

/** The same bytes; what breaks the transfer is thrown as the failure that it means. */
export function withFailures(body: Readable, failure: (error: unknown) => unknown): Readable {
  return readAs(body, failure, body as AsyncIterable<Buffer>);
}

/** The same bytes in blocks of one size; the last may be shorter, and is the only one that may be empty. */
export async function* blocksOf(body: Readable, blockBytes: number): AsyncGenerator<Buffer> {
  let chunks: Buffer[] = [];
  let heldBytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    heldBytes += chunk.length;
    while (heldBytes > blockBytes) {
      const held = Buffer.concat(chunks);
      yield held.subarray(0, blockBytes);
      chunks = [held.subarray(blockBytes)];
      heldBytes -= blockBytes;
    }
  }
  yield Buffer.concat(chunks);
}

function readAs(body: Readable, failure: (error: unknown) => unknown, bytes: AsyncIterable<Buffer>): Readable {
  // A body may break before anybody reads it; its error waits for the reader, where without a listener it would end the process.
  body.on('error', () => undefined);
  const read = Readable.from(failing(bytes, failure), { objectMode: false });
  return read.once('close', () => body.destroy());
}

async function* failing(bytes: AsyncIterable<Buffer>, failure: (error: unknown) => unknown): AsyncGenerator<Buffer> {
  try {
    yield* bytes;
  } catch (error) {
    throw failure(error);
  }
}

/** Holds the last bytes back until the body has ended well; with them the receiver has all it was promised and keeps it. */
async function* counted(lengthBytes: number, body: Readable): AsyncGenerator<Buffer> {
  let seenBytes = 0;
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of body as AsyncIterable<Buffer | string>) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    if (bytes.length === 0) continue;
    seenBytes += bytes.length;
    if (seenBytes > lengthBytes) throw new Error(`the body is longer than the ${lengthBytes} bytes announced`);
    if (held.length > 0) yield held;
    held = bytes;
  }
  if (seenBytes < lengthBytes) throw new Error(`the body ended after ${seenBytes} of ${lengthBytes} bytes`);
  if (held.length > 0) yield held;
}

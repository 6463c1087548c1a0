import { Readable } from 'node:stream';

/** The same bytes, but an error if they are more or fewer than announced: a cut object must not look complete. */
export function exactly(lengthBytes: number | undefined, body: Readable): Readable {
  if (lengthBytes === undefined) throw new Error('a stream can be put only with its lengthBytes');
  // A body may break before the store asks for it; its error waits for the reader, where without a listener it would end the process.
  body.on('error', () => undefined);
  return Readable.from(counted(lengthBytes, body), { objectMode: false });
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

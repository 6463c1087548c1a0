import { pipeline, Transform, type Readable, type TransformCallback } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { MAX_UNPACKED_BYTES, MAX_UNPACKED_RATIO } from './bulk-limits.js';
import { bulkFailures } from './bulk.errors.js';
import { JobFailure } from './job-failure.js';

/** What a small upload may unpack to, however good its ratio is. */
const ALWAYS_FINE_BYTES = 16 * 1024 * 1024;

/** What was packed with gzip, from a byte of it on; an upload that is made to fill memory or disk fails. */
export function unpackedFrom(packed: Readable, packedBytes: number, fromByte: number): Readable {
  const atMost = Math.min(MAX_UNPACKED_BYTES, Math.max(ALWAYS_FINE_BYTES, packedBytes * MAX_UNPACKED_RATIO));
  const gunzip = createGunzip();
  // An error of each of the three destroys the others; the reader of the last one gets it.
  return pipeline(packed, gunzip, new Window(fromByte, atMost), () => undefined);
}

/** Whether an error says that the bytes are no gzip, or end too early. */
export function isUnpackingError(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'Z_DATA_ERROR' || code === 'Z_BUF_ERROR';
}

class Window extends Transform {
  private seenBytes = 0;

  constructor(
    private readonly fromByte: number,
    private readonly atMost: number,
  ) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const unwanted = Math.max(0, this.fromByte - this.seenBytes);
    this.seenBytes += chunk.length;
    if (this.seenBytes > this.atMost) done(new JobFailure(bulkFailures.unpackedTooLarge));
    else done(null, chunk.subarray(unwanted));
  }
}

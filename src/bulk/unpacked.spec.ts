import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { JobFailure } from './job-failure.js';
import { isUnpackingError, unpackedFrom } from './unpacked.js';

const MIB = 1024 * 1024;

/** In chunks as small as a network may bring them. */
function inChunks(bytes: Buffer, size: number): Readable {
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
  return Readable.from(chunks, { objectMode: false });
}

async function contentOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const failureOf = (stream: Readable): Promise<unknown> =>
  contentOf(stream).then(
    () => undefined,
    (error: unknown) => error,
  );

describe('an unpacked upload', () => {
  it('has what was packed, in one member or several, from any byte on', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 500 }), { minLength: 1, maxLength: 4 }),
        fc.nat(2_200),
        fc.integer({ min: 1, max: 100 }),
        async (members, fromByte, chunkBytes) => {
          const packed = Buffer.concat(members.map((member) => gzipSync(member)));
          const found = await contentOf(unpackedFrom(inChunks(packed, chunkBytes), packed.length, fromByte));
          expect(found.equals(Buffer.concat(members).subarray(fromByte))).toBe(true);
        },
      ),
    );
  });

  it('says that it is no gzip, or is cut off', async () => {
    const packed = gzipSync(Buffer.from('a line\n'.repeat(1_000)));
    for (const broken of [Buffer.from('{"no":"gzip"}'), packed.subarray(0, -12), packed.subarray(0, 5)]) {
      const failure = await failureOf(unpackedFrom(inChunks(broken, 7), broken.length, 0));
      expect(isUnpackingError(failure)).toBe(true);
    }
  });

  it('passes on what broke the transfer, which is no fault of the upload', async () => {
    const packed = gzipSync(Buffer.from('a line\n'.repeat(1_000)));
    const broken = Readable.from(
      (async function* () {
        yield packed.subarray(0, 20);
        await Promise.resolve();
        throw new Error('the store is away');
      })(),
      { objectMode: false },
    );
    const failure = await failureOf(unpackedFrom(broken, packed.length, 0));
    expect(failure).toEqual(new Error('the store is away'));
    expect(isUnpackingError(failure)).toBe(false);
  });

  it('stops at more than 200 times its size, unless it is small', async () => {
    const fine = gzipSync(Buffer.alloc(16 * MIB));
    expect(await contentOf(unpackedFrom(inChunks(fine, MIB), fine.length, 16 * MIB - 1))).toHaveLength(1);
    const bomb = gzipSync(Buffer.alloc(17 * MIB));
    const failure = await failureOf(unpackedFrom(inChunks(bomb, MIB), bomb.length, 0));
    expect(failure).toBeInstanceOf(JobFailure);
    expect((failure as JobFailure).failure.error_tag).toBe('unpacked_too_large');
  });

  it('lets go of the stored object when its reader leaves', async () => {
    const stored = inChunks(gzipSync(Buffer.alloc(MIB, 'x')), 16);
    const reading = unpackedFrom(stored, MIB, 0);
    for await (const chunk of reading) if (chunk) break;
    await new Promise((resolve) => setImmediate(resolve));
    expect(stored.destroyed).toBe(true);
  });
});

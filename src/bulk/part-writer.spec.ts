import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { PartWriter } from './part-writer.js';

const pages = fc.array(fc.array(fc.string({ unit: 'grapheme' })));
const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

describe('the writer of parts', () => {
  it.each([false, true])('gives back what was written, whole and in order, in parts (packed: %s)', async (isPacked) => {
    await fc.assert(
      fc.asyncProperty(pages, fc.integer({ min: 1, max: 200 }), async (given, partBytes) => {
        const writer = PartWriter.for(isPacked);
        const parts: Buffer[] = [];
        for (const page of given) {
          const before = writer.bytes;
          await writer.write(page);
          expect(writer.bytes).toBeGreaterThanOrEqual(before);
          if (writer.bytes < partBytes) continue;
          const { bytes } = writer;
          parts.push(Buffer.from(await writer.take())); // as a store keeps it
          expect(parts.at(-1)).toHaveLength(bytes);
          expect(writer.bytes).toBe(0);
        }
        parts.push(await writer.take());
        const whole = Buffer.concat(parts);
        expect((isPacked ? gunzipSync(whole) : whole).toString('utf8')).toBe(given.map(textOf).join(''));
      }),
    );
  });

  it('makes room for lines of any size', async () => {
    const lines = ['é', '漢'.repeat(300_000), 'x'.repeat(1_000_000)];
    const writer = PartWriter.for(false);
    for (const line of lines) await writer.write([line]);
    expect((await writer.take()).toString('utf8')).toBe(textOf(lines));
  });

  it('makes an empty file of nothing that unpacks to nothing', async () => {
    expect(await PartWriter.for(false).take()).toHaveLength(0);
    expect(gunzipSync(await PartWriter.for(true).take())).toHaveLength(0);
  });
});

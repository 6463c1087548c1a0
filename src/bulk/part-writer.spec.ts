import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { PartWriter } from './part-writer.js';

const pages = fc.array(
  fc.array(fc.string({ unit: 'grapheme' }).map((text) => `${text}\n`)).map((lines) => lines.join('')),
);

describe('the writer of parts', () => {
  it.each([false, true])('gives back what was written, whole and in order, in parts (packed: %s)', async (isPacked) => {
    await fc.assert(
      fc.asyncProperty(pages, fc.integer({ min: 1, max: 200 }), async (given, partBytes) => {
        const writer = PartWriter.for(isPacked);
        const parts: Buffer[] = [];
        for (const page of given) {
          const before = writer.bytes;
          await writer.write(Buffer.from(page));
          expect(writer.bytes).toBeGreaterThanOrEqual(before);
          if (writer.bytes < partBytes) continue;
          const { bytes } = writer;
          parts.push(await writer.take());
          expect(parts.at(-1)).toHaveLength(bytes);
          expect(writer.bytes).toBe(0);
        }
        parts.push(await writer.take());
        const whole = Buffer.concat(parts);
        expect((isPacked ? gunzipSync(whole) : whole).toString('utf8')).toBe(given.join(''));
      }),
    );
  });

  it('makes an empty file of nothing that unpacks to nothing', async () => {
    expect(await PartWriter.for(false).take()).toHaveLength(0);
    expect(gunzipSync(await PartWriter.for(true).take())).toHaveLength(0);
  });
});

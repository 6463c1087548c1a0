import fc from 'fast-check';
import { isBlank, LineSplitter, type TextLine } from './line-splitter.js';

function linesOf(chunks: readonly Buffer[], maxBytes = 100): TextLine[] {
  const splitter = new LineSplitter(maxBytes);
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()];
}
const textsOf = (lines: readonly TextLine[]): (string | undefined)[] => lines.map(({ bytes }) => bytes?.toString());

describe('lines of a text', () => {
  it('are the same however the chunks fall', () => {
    const text = fc.stringMatching(/^[a-cé\n]{0,60}$/);
    fc.assert(
      fc.property(text, fc.array(fc.integer({ min: 0, max: 80 }), { maxLength: 6 }), (given, cuts) => {
        const whole = Buffer.from(given);
        const ends = [...cuts, whole.length].map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b);
        const chunks = ends.map((end, i) => whole.subarray(ends[i - 1] ?? 0, end));
        const lines = linesOf(chunks);
        const wanted = given.split('\n');
        if (wanted.at(-1) === '') wanted.pop();
        expect(textsOf(lines)).toEqual(wanted);
        for (const { number, byteOffset, bytes } of lines) {
          expect(wanted[number - 1]).toBe(bytes?.toString());
          expect(whole.subarray(byteOffset, byteOffset + (bytes?.length ?? 0))).toEqual(bytes);
        }
      }),
    );
  });

  it('know where they stand after a resumption in the middle', () => {
    const splitter = new LineSplitter(100, { line: 7, byte: 70 });
    expect(splitter.push(Buffer.from('one\ntwo\n')).map(({ number, byteOffset }) => [number, byteOffset])).toEqual([
      [8, 70],
      [9, 74],
    ]);
  });

  it('that are too long are told and not kept, and the next one is whole', () => {
    const long = Buffer.alloc(101, 'x');
    expect(textsOf(linesOf([long, Buffer.from('\nshort\n')]))).toEqual([undefined, 'short']);
    expect(textsOf(linesOf([Buffer.alloc(100, 'x')]))).toEqual(['x'.repeat(100)]);
  });

  it('begin after a byte order mark, at the beginning of the text only', () => {
    const [first, second] = linesOf([Buffer.from('\ufeffa\n\ufeffb\n')]);
    expect([first?.bytes?.toString(), second?.bytes?.toString()]).toEqual(['a', '\ufeffb']);
  });

  it('are blank where they hold nothing but white space', () => {
    for (const text of ['', ' ', '\t \r']) expect(isBlank(Buffer.from(text))).toBe(true);
    expect(isBlank(Buffer.from(' x'))).toBe(false);
  });
});

import fc from 'fast-check';
import { answerExcerpt } from './answer-excerpt.js';

const excerptOf = (text: string): string => answerExcerpt(Buffer.from(text));

describe('the excerpt of an answer', () => {
  it.each([
    ['{"error": "no such order"}', '{"error": "no such order"}'],
    ['Grüße 😀', 'Grüße 😀'],
    ['<h1>502</h1>\r\n\r\n<hr>\n', '<h1>502</h1> <hr>'],
    ['a\0b', 'ab'],
    ['\x1b[31;1mred\x1b[0m and \x1b]0;title\x07more\x1b]8;;http://x\x1b\\link', 'red and morelink'],
    ['\u009b31mred \u009d0;title\u009cmore', 'red more'],
    ['\x1bcreset \x1b', 'reset'],
    ['abc\u202Efed', 'abcfed'],
    ['\ufeffmarked', 'marked'],
    ['', ''],
  ])('of %j is %j', (answer, excerpt) => {
    expect(excerptOf(answer)).toBe(excerpt);
  });

  it('has a replacement character for what is no UTF-8, and none for a character that it cuts itself', () => {
    expect(answerExcerpt(Buffer.from([0x61, 0xff, 0xc3, 0x62]))).toBe('a\ufffd\ufffdb');
    expect(excerptOf('x' + '😀'.repeat(1_000))).toBe('x' + '😀'.repeat(511));
  });

  it('is one storable line of at most 2 KB with nothing in it that acts, whatever was sent', () => {
    const hostile = fc.array(
      fc.constantFrom('\x1b', '[', ']', '0', ';', 'm', '\x07', '\x9b', '\x9d', '\0', '\n', '\u202e', '😀', 'a', '\\'),
      { maxLength: 3_000 },
    );
    const answer = fc.oneof(
      fc.uint8Array({ maxLength: 5_000 }),
      hostile.map((parts) => new Uint8Array(Buffer.from(parts.join('')))),
      fc
        .uint8Array({ minLength: 1, maxLength: 4 })
        .map((part) => new Uint8Array(5_000).map((_, i) => part[i % part.length]!)),
    );
    fc.assert(
      fc.property(answer, (bytes) => {
        const excerpt = answerExcerpt(bytes);
        expect(excerpt).toMatch(/^[^\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]*$/u);
        expect(excerpt.isWellFormed()).toBe(true);
        expect(Buffer.byteLength(excerpt)).toBeLessThanOrEqual(2_048);
      }),
      { numRuns: 500 },
    );
  });
});

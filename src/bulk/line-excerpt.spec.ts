import fc from 'fast-check';
import { lineExcerpt } from './line-excerpt.js';

const excerptOf = (text: string): string => lineExcerpt(Buffer.from(text));

describe('the excerpt of a refused line', () => {
  it('names an event by what it is found by, and shows nothing else of it', () => {
    const event = {
      event_id: 'e-1',
      service: 'pos',
      action: 'sold',
      occurred_at: 'yesterday',
      payload: { card: '4111' },
    };
    expect(JSON.parse(excerptOf(JSON.stringify(event)))).toEqual({
      event_id: 'e-1',
      service: 'pos',
      action: 'sold',
      occurred_at: 'yesterday',
    });
  });

  it('shows the shape of anything else, with the names of properties', () => {
    expect(excerptOf('{"user": {"pass_word": "hunter2"}, "n": 12.5, ')).toBe(
      '{"user": {"pass_word": "xxxxxx9"}, "n": 99.9, ',
    );
    expect(excerptOf('["a", true]')).toBe('["x", xxxx]');
    expect(lineExcerpt(undefined)).toBe('');
  });

  it.each([
    ['a value before a stray colon', '{"password":"hunter":1', '{"password":"xxxxxx":9'],
    ['a string of a list before a colon', '["hunter":1]', '["xxxxxx":9]'],
    [
      'a text that looks like an object',
      String.raw`{"note":"{\"hunter\": 1, \"more\": 2}"`,
      String.raw`{"note":"{x"xxxxxxx": 9, x"xxxxx": 9}"`,
    ],
    ['an object in a text that is not escaped', '{"note":"{"hunter":"joe"}"', '{"note":"{"xxxxxx":"xxx"}"'],
    ['no JSON at all', '"hunter": joe', '"xxxxxx": xxx'],
  ])('takes %s for no name', (_what, line, excerpt) => {
    expect(excerptOf(line)).toBe(excerpt);
  });

  it('lets no letter and no digit of any value of an unreadable line through', () => {
    const value = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.stringMatching(/^[\w.-]{1,40}$/),
      fc.double({ noNaN: true }),
      fc.bigInt(),
      fc.boolean(),
      fc.constant('{"a":"b"}'),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        value,
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(fc.stringMatching(/^name_[a-z]{0,5}$/), tie('tree'), { maxKeys: 4 }),
      ),
    }));
    const text = (item: unknown): string =>
      JSON.stringify(item, (_key, inner: unknown) => (typeof inner === 'bigint' ? `${inner}` : inner)) ?? '';
    const breaking = fc.constantFrom('', ',', ':', ':1', '}', '"', ': "', 'x');
    fc.assert(
      fc.property(tree, breaking, (item, end) => {
        const excerpt = excerptOf(`${text(item)}${end}`);
        const unnamed = excerpt.replaceAll(/"name_[a-z]{0,5}"/g, '');
        expect(unnamed).not.toMatch(/[a-wyzA-Z0-8]|[^\s\u0000-\u007f]/u);
      }),
      { numRuns: 2_000 },
    );
  });
});

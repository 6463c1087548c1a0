import { RenderedItems, stringifyWith } from './rendered-items.js';

describe('an answer with rendered items', () => {
  it.each([[[]], [['{"a":1}']], [['{"a":"\\u0000"}', '{"b":[{}]}']]])(
    'reads as if all of it had been rendered at once',
    (texts) => {
      const items = new RenderedItems(texts);
      for (const others of [{}, { has_more: true, next_token: { t: 'x' } }]) {
        const envelope = { success: true as const, data: { items, ...others }, stats: { call: 'cdc/list' } };
        expect(JSON.parse(stringifyWith(items, envelope))).toEqual(JSON.parse(JSON.stringify(envelope)));
      }
    },
  );
});

import fc from 'fast-check';
import { deliveryId, deliveryKey } from './delivery-id.js';

const key = fc.record({
  lane: fc.bigInt({ min: 0n, max: 2n ** 40n - 1n }),
  position: fc.bigInt({ min: 0n, max: 2n ** 56n - 1n }),
  replayNo: fc.integer({ min: 0, max: 2 ** 24 - 1 }),
});

describe('the id of a delivery', () => {
  it('is a UUIDv8 that gives the key back', () => {
    fc.assert(
      fc.property(key, (one) => {
        const id = deliveryId(one);
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(deliveryKey(id)).toEqual(one);
      }),
    );
  });

  it('is written in one way only', () => {
    const digit = fc.constantFrom(...'0123456789abcdef');
    const uuidLike = fc
      .array(digit, { minLength: 32, maxLength: 32 })
      .map((digits) => digits.join('').replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-8$3-8$4-$5'));
    fc.assert(
      fc.property(fc.oneof(uuidLike, fc.uuid(), fc.string()), (text) => {
        const found = deliveryKey(text);
        if (found) expect(deliveryId(found)).toBe(text);
      }),
    );
    const id = deliveryId({ lane: 2n ** 40n - 1n, position: 1n, replayNo: 0 });
    for (const other of [id.toUpperCase(), `${id}\n`, ` ${id}`, id.replaceAll('-', ''), id.replace('-8', '-9')])
      expect(deliveryKey(other)).toBeUndefined();
    expect(deliveryKey(id.replace(/-8(...)-8/, '-8$1-a'))).toBeUndefined();
  });

  it('has room for what it is made of and for nothing else', () => {
    const fits = { lane: 1n, position: 1n, replayNo: 1 };
    for (const wrong of [{ lane: 2n ** 40n }, { lane: -1n }, { position: 2n ** 56n }, { replayNo: 2 ** 24 }])
      expect(() => deliveryId({ ...fits, ...wrong })).toThrow(RangeError);
  });
});

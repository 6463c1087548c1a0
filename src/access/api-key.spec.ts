import fc from 'fast-check';
import { keyIdOf, newApiKey } from './api-key.js';

describe('an API key', () => {
  it('has a prefix that scanners find, its id, a secret of 256 bits and a checksum', () => {
    const { keyId, apiKey } = newApiKey();
    expect(apiKey).toMatch(/^ipm_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}[0-9A-Za-z]{6}$/);
    expect(keyIdOf(apiKey)).toBe(keyId);
    expect(62n ** 43n).toBeGreaterThan(2n ** 256n);
  });

  it('is another one each time, with every character of the alphabet about as often as any other', () => {
    const keys = Array.from({ length: 2_000 }, () => newApiKey().apiKey);
    expect(new Set(keys).size).toBe(keys.length);
    const counts = new Map<string, number>();
    for (const key of keys)
      for (const character of key.slice(17, 60)) counts.set(character, (counts.get(character) ?? 0) + 1);
    const expected = (2_000 * 43) / 62;
    expect(counts.size).toBe(62);
    for (const [character, count] of counts)
      expect({ character, off: Math.abs(count - expected) > expected * 0.25 }).toEqual({ character, off: false });
  });

  it('is known as mistyped when any one character is another, or two neighbours are swapped', () => {
    const { apiKey } = newApiKey();
    const alphabet = [...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'];
    fc.assert(
      fc.property(fc.integer({ min: 17, max: apiKey.length - 1 }), fc.constantFrom(...alphabet), (at, character) => {
        fc.pre(apiKey[at] !== character);
        expect(keyIdOf(apiKey.slice(0, at) + character + apiKey.slice(at + 1))).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 17, max: apiKey.length - 2 }), (at) => {
        const [first = '', second = ''] = apiKey.slice(at, at + 2);
        fc.pre(first !== second);
        expect(keyIdOf(apiKey.slice(0, at) + second + first + apiKey.slice(at + 2))).toBeUndefined();
      }),
    );
  });

  it('has no id when it is of another making', () => {
    fc.assert(fc.property(fc.string(), (text) => expect(keyIdOf(text)).toBeUndefined()));
  });
});

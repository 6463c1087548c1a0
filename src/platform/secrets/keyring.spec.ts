import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import type { Configuration } from '../config/configuration.js';
import { fingerprint, Keyring, type HashPurpose } from './keyring.js';

const KEY_1 = `k1:${Buffer.alloc(32, 1).toString('base64')}`;
const KEY_2 = `k2:${Buffer.alloc(32, 2).toString('base64')}`;

function aKeyring(encryptionKeys = KEY_1, secret = 's'.repeat(32)): Keyring {
  return new Keyring({ secrets: { secret, encryptionKeys } } as Configuration);
}

describe('keyed hashes', () => {
  const purposes: HashPurpose[] = ['api_key.verifier', 'session.verifier', 'jwt.verifier', 'next_token'];

  it('differ by purpose and by secret, so that a value made for one means nothing to another', () => {
    const hashes = ['s'.repeat(32), 't'.repeat(32)].flatMap((secret) =>
      purposes.map((purpose) => aKeyring(KEY_1, secret).keyedHash(purpose, 'text').toString('hex')),
    );
    expect(new Set(hashes).size).toBe(2 * purposes.length);
  });

  it('are neither a plain hash nor one keyed with the secret itself', () => {
    const hash = aKeyring().keyedHash('api_key.verifier', 'text').toString('hex');
    expect(hash).not.toBe(createHash('sha256').update('text').digest('hex'));
    expect(hash).not.toBe(createHmac('sha256', 's'.repeat(32)).update('text').digest('hex'));
    expect(hash).toBe(aKeyring(KEY_2).keyedHash('api_key.verifier', 'text').toString('hex'));
  });
});

describe('sealed text', () => {
  it('opens to what it was, and looks different each time', () => {
    const keyring = aKeyring();
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, place) => {
        const sealed = keyring.seal(text, place);
        expect(keyring.open(sealed, place)).toBe(text);
        expect(keyring.seal(text, place)).not.toBe(sealed);
      }),
    );
  });

  it('opens nowhere else', () => {
    const keyring = aKeyring();
    const sealed = keyring.seal('secret', 'place');
    for (const place of ['', 'other', 'place ', 'Place']) expect(() => keyring.open(sealed, place)).toThrow();
  });

  it('opens no more when any of its bytes is another', () => {
    const keyring = aKeyring();
    const [version = '', kid = '', body = ''] = keyring.seal('a secret of some length', 'place').split('.');
    const bytes = Buffer.from(body, 'base64url');
    for (let i = 0; i < bytes.length; i += 1) {
      const changed = Buffer.from(bytes);
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(() => keyring.open([version, kid, changed.toString('base64url')].join('.'), 'place')).toThrow();
    }
    for (const length of [0, 5, 12, 27]) {
      expect(() =>
        keyring.open([version, kid, bytes.subarray(0, length).toString('base64url')].join('.'), 'place'),
      ).toThrow();
    }
  });

  it('is sealed with the newest key, and opens with every key of the ring', () => {
    const old = aKeyring(KEY_1).seal('secret', 'place');
    const ring = aKeyring(`${KEY_2},${KEY_1}`);
    expect(ring.open(old, 'place')).toBe('secret');
    expect(ring.seal('secret', 'place')).toMatch(/^v1\.k2\./);
    expect(() => aKeyring(KEY_1).open(ring.seal('secret', 'place'), 'place')).toThrow('keep old keys');
  });

  it('is put under the newest key, and left as it is where that has sealed it', () => {
    const old = aKeyring(KEY_1).seal('secret', 'place');
    const ring = aKeyring(`${KEY_2},${KEY_1}`);
    const anew = ring.sealAnew(old, 'place');
    expect(anew.startsWith(ring.newestSeal)).toBe(true);
    expect(aKeyring(KEY_2).open(anew, 'place')).toBe('secret');
    expect(ring.sealAnew(anew, 'place')).toBe(anew);
    expect(() => ring.sealAnew(old, 'elsewhere')).toThrow();
    expect(['k1', 'k2', 'k3'].map((kid) => ring.knows(kid))).toEqual([true, true, false]);
  });

  it('does not open under the name of another key', () => {
    const ring = aKeyring(`${KEY_2},${KEY_1}`);
    expect(() => ring.open(ring.seal('secret', 'place').replace('.k2.', '.k1.'), 'place')).toThrow();
  });
});

describe('a fingerprint', () => {
  it('is 32 hex digits, another for another kind, and not the start of a plain hash', () => {
    const prints = (['api_key', 'session', 'jwt'] as const).map((kind) => fingerprint(kind, 'credential'));
    for (const print of prints) expect(print).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(prints).size).toBe(3);
    expect(createHash('sha256').update('credential').digest('hex')).not.toContain(prints[0]);
    expect(aKeyring().keyedHash('api_key.verifier', 'credential').toString('hex')).not.toContain(prints[0]);
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import type { Principal } from '../platform/http/caller.js';
import { CredentialCache, type VerifiedCredential } from './credential-cache.js';

const VERIFIER = Buffer.alloc(32, 1);

function aCredential(changes: Partial<VerifiedCredential> = {}): VerifiedCredential {
  const principal: Principal = {
    actor: 'ada',
    contextSource: 'api_key',
    fingerprint: 'f1',
    rolesByOrg: new Map(),
    limitsByOrg: new Map(),
  };
  return { principal, expiresAtMs: Infinity, trustedForMs: 60_000, ...changes };
}

describe('credentials verified a moment ago', () => {
  it('are known without asking again', async () => {
    const cache = new CredentialCache();
    expect(cache.known(VERIFIER)).toBeUndefined();
    expect(await cache.verify(VERIFIER, async () => aCredential())).toMatchObject({ actor: 'ada' });
    expect(cache.known(VERIFIER)).toMatchObject({ actor: 'ada' });
    expect(cache.known(Buffer.alloc(32, 2))).toBeUndefined();
  });

  it('share one look-up when they are asked for at once', async () => {
    const cache = new CredentialCache();
    let lookups = 0;
    const find = async (): Promise<VerifiedCredential> => {
      lookups += 1;
      await sleep(10);
      return aCredential();
    };
    await Promise.all(Array.from({ length: 10 }, () => cache.verify(VERIFIER, find)));
    expect(lookups).toBe(1);
  });

  it('are asked for again after the time they are trusted for', async () => {
    const cache = new CredentialCache();
    await cache.verify(VERIFIER, async () => aCredential({ trustedForMs: 30 }));
    await sleep(40);
    expect(cache.known(VERIFIER)).toBeUndefined();
    expect(await cache.verify(VERIFIER, async () => undefined)).toBeUndefined();
    expect(cache.known(VERIFIER)).toBeUndefined();
  });

  it('are not trusted beyond their own end', async () => {
    const cache = new CredentialCache();
    await cache.verify(VERIFIER, async () => aCredential({ expiresAtMs: Date.now() + 30 }));
    expect(cache.known(VERIFIER)).toBeDefined();
    await sleep(40);
    expect(cache.known(VERIFIER)).toBeUndefined();
    expect(await cache.verify(VERIFIER, async () => aCredential({ expiresAtMs: Date.now() - 1 }))).toBeUndefined();
  });

  it('are not kept when unknown, nor when the look-up failed', async () => {
    const cache = new CredentialCache();
    expect(await cache.verify(VERIFIER, async () => undefined)).toBeUndefined();
    await expect(cache.verify(VERIFIER, () => Promise.reject(new Error('the database is away')))).rejects.toThrow(
      'away',
    );
    expect(await cache.verify(VERIFIER, async () => aCredential())).toMatchObject({ actor: 'ada' });
  });

  it('are not believed longer because the next look-up fails: it fails closed', async () => {
    const cache = new CredentialCache();
    await cache.verify(VERIFIER, async () => aCredential({ trustedForMs: 20 }));
    await sleep(30);
    await expect(cache.verify(VERIFIER, () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(cache.known(VERIFIER)).toBeUndefined();
  });

  it('are forgotten at once when revoked, by their fingerprint', async () => {
    const cache = new CredentialCache();
    await cache.verify(VERIFIER, async () => aCredential());
    cache.forget('other');
    expect(cache.known(VERIFIER)).toBeDefined();
    cache.forget('f1');
    expect(cache.known(VERIFIER)).toBeUndefined();
  });

  it('are forgotten also when the revocation overtakes a look-up that still saw them', async () => {
    const cache = new CredentialCache();
    let answerFirst: (found: VerifiedCredential) => void = () => undefined;
    const answers = [
      new Promise<VerifiedCredential | undefined>((resolve) => (answerFirst = resolve)),
      Promise.resolve(undefined),
    ];
    const verified = cache.verify(VERIFIER, () => answers.shift() ?? Promise.resolve(undefined));
    await sleep(1);
    cache.forget('f1');
    answerFirst(aCredential());
    expect(await verified).toBeUndefined();
    expect(cache.known(VERIFIER)).toBeUndefined();
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import type { Principal } from '../platform/http/caller.js';
import { CredentialCache, type VerifiedCredential } from './credential-cache.js';

const DIGEST = 'digest one';

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
    expect(cache.known(DIGEST)).toBeUndefined();
    expect(await cache.verify(DIGEST, async () => aCredential())).toMatchObject({ actor: 'ada' });
    expect(cache.known(DIGEST)).toMatchObject({ actor: 'ada' });
    expect(cache.known('digest two')).toBeUndefined();
  });

  it('share one look-up when they are asked for at once', async () => {
    const cache = new CredentialCache();
    let lookups = 0;
    const find = async (): Promise<VerifiedCredential> => {
      lookups += 1;
      await sleep(10);
      return aCredential();
    };
    await Promise.all(Array.from({ length: 10 }, () => cache.verify(DIGEST, find)));
    expect(lookups).toBe(1);
  });

  it('are asked for again after the time they are trusted for', async () => {
    const cache = new CredentialCache();
    await cache.verify(DIGEST, async () => aCredential({ trustedForMs: 30 }));
    await sleep(40);
    expect(cache.known(DIGEST)).toBeUndefined();
    expect(await cache.verify(DIGEST, async () => undefined)).toBeUndefined();
    expect(cache.known(DIGEST)).toBeUndefined();
  });

  it('are not trusted beyond their own end', async () => {
    const cache = new CredentialCache();
    await cache.verify(DIGEST, async () => aCredential({ expiresAtMs: Date.now() + 30 }));
    expect(cache.known(DIGEST)).toBeDefined();
    await sleep(40);
    expect(cache.known(DIGEST)).toBeUndefined();
    expect(await cache.verify(DIGEST, async () => aCredential({ expiresAtMs: Date.now() - 1 }))).toBeUndefined();
  });

  it('are not kept when unknown, nor when the look-up failed', async () => {
    const cache = new CredentialCache();
    expect(await cache.verify(DIGEST, async () => undefined)).toBeUndefined();
    await expect(cache.verify(DIGEST, () => Promise.reject(new Error('the database is away')))).rejects.toThrow('away');
    expect(await cache.verify(DIGEST, async () => aCredential())).toMatchObject({ actor: 'ada' });
  });

  it('are not believed longer because the next look-up fails: it fails closed', async () => {
    const cache = new CredentialCache();
    await cache.verify(DIGEST, async () => aCredential({ trustedForMs: 20 }));
    await sleep(30);
    await expect(cache.verify(DIGEST, () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(cache.known(DIGEST)).toBeUndefined();
  });

  it('are forgotten at once when revoked, by their fingerprint', async () => {
    const cache = new CredentialCache();
    await cache.verify(DIGEST, async () => aCredential());
    cache.forget('other');
    expect(cache.known(DIGEST)).toBeDefined();
    cache.forget('f1');
    expect(cache.known(DIGEST)).toBeUndefined();
  });

  it('are forgotten also when the revocation overtakes a look-up that still saw them', async () => {
    const cache = new CredentialCache();
    let answerFirst: (found: VerifiedCredential) => void = () => undefined;
    const answers = [
      new Promise<VerifiedCredential | undefined>((resolve) => (answerFirst = resolve)),
      Promise.resolve(undefined),
    ];
    const verified = cache.verify(DIGEST, () => answers.shift() ?? Promise.resolve(undefined));
    await sleep(1);
    cache.forget('f1');
    answerFirst(aCredential());
    expect(await verified).toBeUndefined();
    expect(cache.known(DIGEST)).toBeUndefined();
  });
});

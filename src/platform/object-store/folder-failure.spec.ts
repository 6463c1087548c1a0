import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { folderFailure } from './folder-failure.js';
import { BodyBroke } from './object-body.js';
import { ObjectChanged, ObjectStoreUnavailable } from './object-store-failures.js';

function refused(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: refused, write`), { code, errno: -1, syscall: 'write' });
}

describe('a failure of the folder', () => {
  it.each([
    ['ENOSPC', 'is full'],
    ['EDQUOT', 'is full'],
    ['EACCES', 'may not be used by this user'],
    ['EROFS', 'is mounted read-only'],
    ['EIO', 'cannot read or write its disk'],
    ['EMFILE', 'needs more open files'],
    ['ENODEV', 'cannot use its folder'],
  ])('tells an operator what %s means, and may be tried again', (code, reason) => {
    const cause = refused(code);
    const failure = folderFailure(cause) as ObjectStoreUnavailable;
    expect(failure).toBeInstanceOf(ObjectStoreUnavailable);
    expect(failure.message).toMatch(`the object store ${reason}`);
    expect(failure.reason).toContain(code);
    expect(failure.cause).toBe(cause);
    expect(failure.failure).toMatchObject({ status: 503, retryable: true });
  });

  it('is told of what the operating system refuses', async () => {
    const cause: unknown = await mkdir('/proc/nowhere/at/all').catch((error: unknown) => error);
    expect(folderFailure(cause)).toBeInstanceOf(ObjectStoreUnavailable);
  });

  it('is not told of what is no failure of the folder', async () => {
    const absent: unknown = await createReadStream('/no/such/file')
      .toArray()
      .catch((error: unknown) => error);
    expect(folderFailure(new BodyBroke(absent))).toBe(absent);
    for (const other of [new ObjectChanged('a'), new TypeError('a defect'), 'a text', undefined])
      expect(folderFailure(other)).toBe(other);
  });
});

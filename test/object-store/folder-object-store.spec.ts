import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { FolderObjectStore } from '../../src/platform/object-store/folder-object-store.js';
import { ObjectChanged, UploadGone } from '../../src/platform/object-store/object-store-failures.js';
import { breakingAfter } from './conformance.js';
import { folderLinks } from './folder-links.js';
import { bytesOf } from './store-scene.js';

const HOUR_MS = 3_600_000;

describe('FolderObjectStore', () => {
  let base: string;
  let folder: string;
  let outside: string;
  let store: FolderObjectStore;

  beforeEach(async () => {
    base = await mkdtemp(path.join(tmpdir(), 'ipm-folder-'));
    folder = path.join(base, 'objects');
    outside = path.join(base, 'outside');
    await mkdir(folder);
    await mkdir(outside);
    await writeFile(path.join(outside, 'secret'), 'not yours');
    store = new FolderObjectStore({ kind: 'folder', folder }, folderLinks());
  });

  afterEach(() => rm(base, { recursive: true }));

  const unfinished = (): Promise<string[]> => readdir(path.join(folder, '~unfinished')).catch(() => []);

  async function expectRefused(key: string): Promise<void> {
    await expect(store.put(key, Buffer.from('changed'))).rejects.toThrow('refuses the symbolic link');
    await expect(store.get(key)).rejects.toThrow('refuses the symbolic link');
    await expect(store.stat(key)).rejects.toThrow('refuses the symbolic link');
    await expect(store.delete(key)).rejects.toThrow('refuses the symbolic link');
    expect(await readdir(outside)).toEqual(['secret']);
    expect(await readFile(path.join(outside, 'secret'), 'utf8')).toBe('not yours');
  }

  it('refuses a symbolic link in the place of an object, and leaves alone what it points to', async () => {
    await symlink(path.join(outside, 'secret'), path.join(folder, 'link'));
    await expectRefused('link');
  });

  it('refuses a symbolic link that points to nothing', async () => {
    await symlink(path.join(outside, 'to-be-made'), path.join(folder, 'link'));
    await expectRefused('link');
  });

  it.each(['link/secret', 'link/new', 'link/new/deeper'])(
    'refuses %s, which lies below a symbolic link',
    async (key) => {
      await symlink(outside, path.join(folder, 'link'));
      await expectRefused(key);
    },
  );

  it('refuses a symbolic link in the place of its own unfinished files', async () => {
    await symlink(outside, path.join(folder, '~unfinished'));
    await expect(store.put('a', Buffer.from('x'))).rejects.toThrow('refuses the symbolic link');
    expect(await readdir(outside)).toEqual(['secret']);
  });

  it('works when the folder itself is reached over a symbolic link', async () => {
    await symlink(folder, path.join(base, 'objects-here'));
    const linked = new FolderObjectStore({ kind: 'folder', folder: path.join(base, 'objects-here') }, folderLinks());
    await linked.put('a/b', Buffer.from('x'));
    expect((await readFile(path.join(folder, 'a/b'), 'utf8')).startsWith('x\n')).toBe(true);
  });

  it('shows nothing of an object before its last byte, and then all of it', async () => {
    const body = new PassThrough();
    const put = store.put('a', body, { lengthBytes: 8 });
    body.write('1234');
    while ((await unfinished()).length === 0) await setImmediate();
    expect(await store.get('a')).toBeNull();
    expect(await readdir(folder)).toEqual(['~unfinished']);
    body.end('5678');
    await put;
    expect((await bytesOf(await store.get('a')))?.toString()).toBe('12345678');
    expect(await unfinished()).toEqual([]);
  });

  it('clears away what a broken body left', async () => {
    const body = breakingAfter(Buffer.from('half'));
    await expect(store.put('a', body, { lengthBytes: 8 })).rejects.toThrow('the source broke');
    expect(await unfinished()).toEqual([]);
  });

  it('reaches no leftover of a crash by any key, and clears it at a start a day later', async () => {
    await store.put('a', Buffer.from('x'));
    const [fresh, old] = ['fresh', 'old'].map((name) => path.join(folder, '~unfinished', name));
    await writeFile(fresh!, 'half of an object that another process writes');
    await writeFile(old!, 'half of an object');
    const yesterday = new Date(Date.now() - 25 * HOUR_MS);
    await utimes(old!, yesterday, yesterday);
    await expect(store.get('~unfinished/old')).rejects.toThrow('object key refused');
    await new FolderObjectStore({ kind: 'folder', folder }, folderLinks()).put('b', Buffer.from('x'));
    expect(await unfinished()).toEqual(['fresh']);
  });

  it('lets another process go on with an upload in parts, also days later, and leaves nothing of it', async () => {
    const uploadId = await store.openParts('a/b', { contentType: 'text/plain' });
    const tag = await store.putPart('a/b', uploadId, 1, Buffer.from('whole'));
    const lastWeek = new Date(Date.now() - 7 * 24 * HOUR_MS);
    for (const name of await unfinished()) await utimes(path.join(folder, '~unfinished', name), lastWeek, lastWeek);
    const another = new FolderObjectStore({ kind: 'folder', folder }, folderLinks());
    await another.completeParts('a/b', uploadId, [tag]);
    expect((await bytesOf(await store.get('a/b')))?.toString()).toBe('whole');
    expect(await unfinished()).toEqual([]);
    await another.openParts('a/b', { contentType: 'text/plain' });
    await store.discardParts('a/b');
    expect(await unfinished()).toEqual([]);
  });

  it('reaches nothing by the id of an upload', async () => {
    for (const uploadId of ['', '..', '../..', '../../a', '/etc'])
      await expect(store.putPart('a', uploadId, 1, Buffer.from('x'))).rejects.toThrow(UploadGone);
    expect(await readdir(base)).toEqual(['objects', 'outside']);
  });

  it('tells another version after every write, also of the same bytes', async () => {
    await store.put('a', Buffer.from('same'));
    const { version } = (await store.stat('a'))!;
    await store.put('a', Buffer.from('same'));
    expect((await store.stat('a'))?.version).not.toBe(version);
    await expect(store.pin('a', 'b', version)).rejects.toThrow(ObjectChanged);
    expect(await unfinished()).toEqual([]);
  });

  it('refuses a file that was cut, and one that it did not write', async () => {
    await store.put('a', Buffer.from('x'.repeat(1_000)));
    const whole = await readFile(path.join(folder, 'a'));
    for (const damaged of [whole.subarray(0, -1), whole.subarray(0, 100), Buffer.alloc(0)]) {
      await writeFile(path.join(folder, 'a'), damaged);
      await expect(store.get('a')).rejects.toThrow('is damaged');
      await expect(store.stat('a')).rejects.toThrow('is damaged');
    }
  });

  it('pins without a second copy of the bytes', async () => {
    await store.put('a', Buffer.from('x'));
    await store.pin('a', 'b', (await store.stat('a'))!.version);
    expect((await stat(path.join(folder, 'b'))).ino).toBe((await stat(path.join(folder, 'a'))).ino);
  });

  it('says so when an object would have to lie below another, and keeps both ways round', async () => {
    await store.put('a', Buffer.from('x'));
    await store.put('b/c', Buffer.from('x'));
    await expect(store.put('a/b', Buffer.from('y'))).rejects.toThrow('a is itself an object');
    await expect(store.put('b', Buffer.from('y'))).rejects.toThrow('b is a folder of other objects');
    expect((await bytesOf(await store.get('a')))?.toString()).toBe('x');
    expect((await bytesOf(await store.get('b/c')))?.toString()).toBe('x');
  });

  it('lets a reader finish the version that it began to read', async () => {
    await store.put('a', Buffer.from('the first'));
    const reader = await store.get('a');
    await store.put('a', Buffer.from('the second'));
    await store.delete('a');
    expect((await bytesOf(reader))?.toString()).toBe('the first');
  });

  it('keeps objects from other users of the machine', async () => {
    await store.put('a/b', Buffer.from('x'));
    expect((await stat(path.join(folder, 'a'))).mode & 0o077).toBe(0);
    expect((await stat(path.join(folder, 'a/b'))).mode & 0o077).toBe(0);
  });

  it('leaves nothing behind after its check', async () => {
    await store.check();
    expect(await readdir(path.join(folder, 'probe'))).toEqual([]);
    expect(await unfinished()).toEqual([]);
  });

  it('fails its check with a clear sentence where it cannot write, and passes once it can', async () => {
    const blocked = path.join(base, 'file');
    await writeFile(blocked, '');
    const below = new FolderObjectStore({ kind: 'folder', folder: path.join(blocked, 'objects') }, folderLinks());
    await expect(below.check()).rejects.toThrow(/the object store cannot write: it cannot use its folder .ENOTDIR/);
    await rm(blocked);
    await expect(below.check()).resolves.toBeUndefined();
  });

  it('fails its check when other bytes come back, and still removes the probe', async () => {
    class Forgetful extends FolderObjectStore {
      override async get(): Promise<Readable> {
        return Readable.from([Buffer.alloc(64)]);
      }
    }
    await expect(new Forgetful({ kind: 'folder', folder }, folderLinks()).check()).rejects.toThrow(
      'gives back other bytes',
    );
    expect(await readdir(path.join(folder, 'probe'))).toEqual([]);
  });

  it('fails its check when what was written is absent', async () => {
    class Empty extends FolderObjectStore {
      override async get(): Promise<null> {
        return null;
      }
    }
    const check = new Empty({ kind: 'folder', folder }, folderLinks()).check();
    await expect(check).rejects.toThrow('the object store cannot read: what was just written is absent');
  });

  it('fails its check at the deadline when the store hangs', async () => {
    class Hanging extends FolderObjectStore {
      override put(): Promise<void> {
        return new Promise(() => undefined);
      }
    }
    await expect(new Hanging({ kind: 'folder', folder }, folderLinks()).check(50)).rejects.toThrow('within 50 ms');
  });
});

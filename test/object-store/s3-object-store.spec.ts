import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { ObjectStoreUnavailable } from '../../src/platform/object-store/object-store-failures.js';
import { S3_LIMITS, type S3Limits } from '../../src/platform/object-store/s3-client.js';
import { S3ObjectStore } from '../../src/platform/object-store/s3-object-store.js';
import { startS3Server, type S3Server } from '../support/s3-server/start.js';
import { breakingAfter } from './conformance.js';
import { bytesOf } from './store-scene.js';

const MEBIBYTE = 1024 * 1024;
const QUICK: S3Limits = { connectMs: 300, answerMs: 300, workMs: 300, idleMs: 300, attempts: 1 };

async function aClosedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('S3ObjectStore against a slow or broken store', () => {
  let server: S3Server;

  beforeAll(async () => {
    server = await startS3Server();
  });

  afterEach(() => server.faults.set({}));

  afterAll(() => server.stop());

  function aStore(limits?: S3Limits, other: Partial<S3Server> = {}): S3ObjectStore {
    return new S3ObjectStore({ kind: 's3', ...server, ...other }, limits);
  }

  it.each(['SlowDown', 'InternalError'] as const)('tries again when the store answers %s', async (refuseWith) => {
    await server.faults.set({ refuseNext: 2, refuseWith });
    await aStore().put('retried', Buffer.from('x'));
    expect((await server.faults.read()).refuseNext).toBe(0);
    expect((await aStore().stat('retried'))?.sizeBytes).toBe(1);
  });

  it('gives up after three attempts', async () => {
    await server.faults.set({ refuseNext: 100 });
    await expect(aStore().get('a')).rejects.toThrow('asks to be called less (SlowDown');
    expect((await server.faults.read()).refuseNext).toBe(97);
  });

  it('closes a stream that is refused, and prints nothing', async () => {
    const printed = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    await server.faults.set({ refuseNext: 100 });
    const body = Readable.from([randomBytes(1_000)], { objectMode: false });
    await expect(aStore().put('a', body, { lengthBytes: 1_000 })).rejects.toThrow('SlowDown');
    expect(body.destroyed).toBe(true);
    expect(printed).not.toHaveBeenCalled();
    printed.mockRestore();
  });

  it.each([
    ['SlowDown', 'asks to be called less'],
    ['InsufficientStorage', 'is full'],
    ['InternalError', 'fails'],
  ] as const)('says what %s means to an operator, whatever was to be done', async (refuseWith, reason) => {
    await server.faults.set({ refuseNext: 1_000, refuseWith });
    const store = aStore(QUICK);
    const tag = { number: 1, tag: 't', sizeBytes: 1 };
    for (const work of [
      store.put('a', Buffer.from('x')),
      store.get('a'),
      store.stat('a').then(() => store.get('a')), // HEAD has no body that could name the failure
      store.pin('a', 'b', '"v"'),
      store.openParts('a', { contentType: 'text/plain' }),
      store.putPart('a', 'upload', 1, Buffer.from('x')),
      store.completeParts('a', 'upload', [tag]),
      store.discardParts('a'),
    ]) {
      const failure: unknown = await work.catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(ObjectStoreUnavailable);
      expect((failure as ObjectStoreUnavailable).failure).toMatchObject({ status: 503, retryable: true });
      expect((failure as Error).message).toMatch(/^the object store /);
    }
    await expect(store.get('a')).rejects.toThrow(`the object store ${reason} (`);
  });

  it('does its work once when the answer is lost', async () => {
    const store = aStore();
    const uploadId = await store.openParts('lost', { contentType: 'text/plain' });
    await server.faults.set({ loseAnswers: 1 });
    const tag = await store.putPart('lost', uploadId, 1, Buffer.from('once'));
    await server.faults.set({ loseAnswers: 1 });
    expect((await store.completeParts('lost', uploadId, [tag])).sizeBytes).toBe(4);
    const { version } = (await store.stat('lost'))!;
    await server.faults.set({ loseAnswers: 1 });
    expect((await store.pin('lost', 'pinned', version)).sizeBytes).toBe(4);
  });

  it('completes in a later call what was complete when all answers of the first were lost', async () => {
    const store = aStore({ ...S3_LIMITS, attempts: 1 });
    const uploadId = await store.openParts('lost', { contentType: 'text/plain' });
    const tag = await store.putPart('lost', uploadId, 1, Buffer.from('later'));
    await server.faults.set({ loseAnswers: 1 });
    await expect(store.completeParts('lost', uploadId, [tag])).rejects.toThrow(ObjectStoreUnavailable);
    expect((await store.completeParts('lost', uploadId, [tag])).sizeBytes).toBe(5);
  });

  it('shows nothing of a large stream that breaks, also where the store keeps cut bodies', async () => {
    await server.faults.set({ keepCutBodies: true });
    const store = aStore();
    await store.put('whole', Buffer.from('before'));
    const body = breakingAfter(Buffer.alloc(20 * MEBIBYTE));
    await expect(store.put('whole', body, { lengthBytes: 30 * MEBIBYTE })).rejects.toThrow('the source broke');
    expect((await store.stat('whole'))?.sizeBytes).toBe(6);
    const { endpoint, region, bucket: Bucket, ...credentials } = server;
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
    expect((await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []).toEqual([]);
  });

  it.each([
    ['get', (store: S3ObjectStore) => store.get('a')],
    ['stat', (store: S3ObjectStore) => store.stat('a')],
    ['delete', (store: S3ObjectStore) => store.delete('a')],
    ['put', (store: S3ObjectStore) => store.put('a', Buffer.from('x'))],
  ])('does not wait longer than its limit for the answer to a %s', async (_what, operation) => {
    await server.faults.set({ delayMs: 3_000 });
    const startedAt = performance.now();
    await expect(operation(aStore({ ...QUICK, idleMs: 60_000 }))).rejects.toThrow('did not answer in time');
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('fails with the error of a body that breaks before the store asks for it', async () => {
    await server.faults.set({ delayMs: 200 });
    const body = createReadStream('/no/such/file');
    await expect(aStore().put('a', body, { lengthBytes: 20 * MEBIBYTE })).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.each([
    ['ends', 'close', /cannot be reached .*aborted/],
    ['falls silent', 'stall', /did not answer in time/],
  ] as const)('fails the reader when the body %s in the middle', async (_what, breakNextGet, message) => {
    const store = aStore(QUICK);
    await store.put('a', randomBytes(300_000));
    await server.faults.set({ breakNextGet });
    const stream = await store.get('a');
    await expect(bytesOf(stream)).rejects.toThrow(message);
    expect(await bytesOf(await store.get('a'))).toHaveLength(300_000);
  });

  it.each([
    ['ended', 'close'],
    ['fell silent', 'stall'],
  ] as const)('fails also a reader that comes after the body %s', async (_what, breakNextGet) => {
    const store = aStore(QUICK);
    await store.put('a', randomBytes(300_000));
    await server.faults.set({ breakNextGet });
    const stream = await store.get('a');
    await sleep(600);
    await expect(bytesOf(stream)).rejects.toThrow(/cannot be reached|did not answer in time/);
  });

  it('takes from a stream only what the store takes', async () => {
    let takenBytes = 0;
    const blocks = function* (): Generator<Buffer> {
      for (; takenBytes < 48 * MEBIBYTE; takenBytes += MEBIBYTE) yield Buffer.alloc(MEBIBYTE, 'x');
    };
    await server.faults.set({ delayMs: 500 });
    const body = Readable.from(blocks(), { objectMode: false });
    const put = aStore().put('large', body, { lengthBytes: 48 * MEBIBYTE });
    await sleep(300);
    expect(takenBytes).toBeLessThan(16 * MEBIBYTE);
    await put;
    expect((await aStore().stat('large'))?.sizeBytes).toBe(48 * MEBIBYTE);
    await aStore().delete('large');
  });

  it('does not take a missing bucket for a missing object', async () => {
    const store = aStore(QUICK, { bucket: 'no-such-bucket' });
    await expect(store.get('a')).rejects.toThrow(ObjectStoreUnavailable);
    await expect(store.check()).rejects.toThrow('the object store cannot write: it has no such bucket');
  });

  it('fails its check with a clear sentence, and without the secret, when the secret is wrong', async () => {
    const check = aStore(QUICK, { secretAccessKey: 'a-wrong-secret' }).check();
    await expect(check).rejects.toThrow(/^the object store cannot write: .*signature/);
    await expect(check).rejects.not.toThrow('a-wrong-secret');
  });

  it('fails its check when nobody listens', async () => {
    const store = aStore(QUICK, { endpoint: `http://127.0.0.1:${await aClosedPort()}` });
    await expect(store.check()).rejects.toThrow(/the object store cannot write: .*ECONNREFUSED/);
  });

  it('fails its check at the deadline when the store is slow', async () => {
    await server.faults.set({ delayMs: 1_000 });
    await expect(aStore().check(100)).rejects.toThrow('within 100 ms');
  });

  it('leaves nothing behind after its check', async () => {
    const other = await startS3Server();
    await aStore(undefined, other).check();
    const { endpoint, region, bucket: Bucket, ...credentials } = other;
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
    expect((await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
    await other.stop();
  });
});

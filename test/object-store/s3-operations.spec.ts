import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  type GetObjectCommandInput,
  type ListObjectsV2CommandInput,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { startS3UnderTest, type S3UnderTest } from './s3-under-test.js';

const PART_BYTES = 5 * 1024 * 1024;

function md5(...bodies: (string | Buffer)[]): Buffer {
  return createHash('md5')
    .update(Buffer.concat(bodies.map((body) => Buffer.from(body))))
    .digest();
}

describe('S3 operations, with the client of AWS', () => {
  const prefix = `operations/${randomUUID()}`;
  let s3: S3UnderTest;
  let client: S3Client;
  let Bucket: string;

  function aClient(checksums: 'WHEN_SUPPORTED' | 'WHEN_REQUIRED'): S3Client {
    const { endpoint, region, accessKeyId, secretAccessKey } = s3;
    return new S3Client({
      endpoint,
      region,
      credentials: { accessKeyId, secretAccessKey },
      forcePathStyle: true,
      requestChecksumCalculation: checksums,
      responseChecksumValidation: checksums,
      maxAttempts: 1,
    });
  }

  beforeAll(async () => {
    s3 = await startS3UnderTest();
    client = aClient('WHEN_REQUIRED');
    Bucket = s3.bucket;
  });

  afterAll(async () => {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix: `${prefix}/` }));
    const Objects = Contents.map(({ Key }) => ({ Key }));
    if (Objects.length > 0) await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    await s3.stop();
  });

  async function put(name: string, Body: string, more: Partial<PutObjectCommandInput> = {}): Promise<string> {
    const answer = await client.send(new PutObjectCommand({ Bucket, Key: `${prefix}/${name}`, Body, ...more }));
    return answer.ETag!;
  }

  async function get(name: string, more: Partial<GetObjectCommandInput> = {}): Promise<string> {
    const answer = await client.send(new GetObjectCommand({ Bucket, Key: `${prefix}/${name}`, ...more }));
    return answer.Body!.transformToString();
  }

  async function list(
    more: Partial<ListObjectsV2CommandInput>,
  ): Promise<{ keys: string[]; prefixes: string[]; next?: string }> {
    const answer = await client.send(new ListObjectsV2Command({ Bucket, Prefix: `${prefix}/list/`, ...more }));
    const named = (name: string | undefined): string => name!.slice(`${prefix}/list/`.length);
    return {
      keys: (answer.Contents ?? []).map(({ Key }) => named(Key)),
      prefixes: (answer.CommonPrefixes ?? []).map(({ Prefix }) => named(Prefix)),
      next: answer.NextContinuationToken,
    };
  }

  describe.each(['WHEN_SUPPORTED', 'WHEN_REQUIRED'] as const)('objects, with checksums %s', (checksums) => {
    it('carries buffers and streams', async () => {
      const checked = aClient(checksums);
      const body = Buffer.alloc(200_000, 'abc');
      const bodies = [body, Readable.from([body.subarray(0, 70_000), body.subarray(70_000)], { objectMode: false })];
      for (const Body of bodies) {
        const Key = `${prefix}/${randomUUID()}`;
        const answer = await checked.send(new PutObjectCommand({ Bucket, Key, Body, ContentLength: body.length }));
        expect(answer.ETag).toBe(`"${md5(body).toString('hex')}"`);
        const found = await checked.send(new GetObjectCommand({ Bucket, Key }));
        expect(Buffer.from(await found.Body!.transformToByteArray()).equals(body)).toBe(true);
      }
    });
  });

  describe('reading', () => {
    beforeAll(() => put('read', '0123456789', { ContentType: 'application/x-ndjson', Metadata: { job: 'job-1' } }));

    it('gives back type and metadata, in get and head alike', async () => {
      for (const command of [GetObjectCommand, HeadObjectCommand]) {
        const answer = await client.send(new command({ Bucket, Key: `${prefix}/read` }) as HeadObjectCommand);
        expect(answer).toMatchObject({
          ContentType: 'application/x-ndjson',
          ContentLength: 10,
          Metadata: { job: 'job-1' },
          ETag: `"${md5('0123456789').toString('hex')}"`,
        });
      }
    });

    it.each([
      ['bytes=2-4', '234', 'bytes 2-4/10'],
      ['bytes=7-', '789', 'bytes 7-9/10'],
      ['bytes=-3', '789', 'bytes 7-9/10'],
      ['bytes=5-100', '56789', 'bytes 5-9/10'],
      ['bytes=-100', '0123456789', 'bytes 0-9/10'],
    ])('answers the range %s', async (Range, text, contentRange) => {
      const answer = await client.send(new GetObjectCommand({ Bucket, Key: `${prefix}/read`, Range }));
      expect(answer.$metadata.httpStatusCode).toBe(206);
      expect(answer.ContentRange).toBe(contentRange);
      expect(await answer.Body!.transformToString()).toBe(text);
    });

    it('refuses a range behind the end', async () => {
      await expect(get('read', { Range: 'bytes=10-12' })).rejects.toMatchObject({ name: 'InvalidRange' });
    });

    it('compares versions', async () => {
      const etag = `"${md5('0123456789').toString('hex')}"`;
      expect(await get('read', { IfMatch: etag })).toBe('0123456789');
      expect(await get('read', { IfNoneMatch: '"another"' })).toBe('0123456789');
      await expect(get('read', { IfMatch: '"another"' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
      await expect(get('read', { IfNoneMatch: etag })).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } });
    });

    it('tells an absent object from an absent bucket', async () => {
      await expect(get('absent')).rejects.toMatchObject({ name: 'NoSuchKey' });
      await expect(get('read', { Bucket: 'absent-bucket' })).rejects.toMatchObject({ name: 'NoSuchBucket' });
    });
  });

  describe('writing', () => {
    it('keeps the first when If-None-Match: * is asked for', async () => {
      await put('once', 'first', { IfNoneMatch: '*' });
      await expect(put('once', 'second', { IfNoneMatch: '*' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
      expect(await get('once')).toBe('first');
    });

    it('replaces only the version that If-Match names', async () => {
      const first = await put('matched', 'first');
      await put('matched', 'second', { IfMatch: first });
      await expect(put('matched', 'third', { IfMatch: first })).rejects.toMatchObject({ name: 'PreconditionFailed' });
      await expect(put('unmatched', 'x', { IfMatch: first })).rejects.toMatchObject({ name: 'NoSuchKey' });
      expect(await get('matched')).toBe('second');
    });

    it('copies only the version that is asked for', async () => {
      const first = await put('source ü', 'first');
      const copy = (): Promise<unknown> =>
        client.send(
          new CopyObjectCommand({
            Bucket,
            Key: `${prefix}/copy`,
            CopySource: encodeURIComponent(`${Bucket}/${prefix}/source ü`),
            CopySourceIfMatch: first,
          }),
        );
      expect(await copy()).toMatchObject({ CopyObjectResult: { ETag: first } });
      expect(await get('copy')).toBe('first');
      await put('source ü', 'second');
      await expect(copy()).rejects.toMatchObject({ name: 'PreconditionFailed' });
      expect(await get('copy')).toBe('first');
    });

    it('deletes many at once, absent ones too', async () => {
      await put('gone-1', 'x');
      const Objects = ['gone-1', 'gone-<2>&'].map((name) => ({ Key: `${prefix}/${name}` }));
      const { Deleted = [] } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
      expect(Deleted.map(({ Key }) => Key).sort()).toEqual(Objects.map(({ Key }) => Key).sort());
      await expect(get('gone-1')).rejects.toMatchObject({ name: 'NoSuchKey' });
    });
  });

  describe('buckets', () => {
    it('makes one, finds it, and does not find another', async () => {
      const made = `made-${randomUUID()}`;
      await client.send(new CreateBucketCommand({ Bucket: made }));
      await expect(client.send(new HeadBucketCommand({ Bucket: made }))).resolves.toBeDefined();
      const again = client.send(new CreateBucketCommand({ Bucket: made }));
      await expect(again).rejects.toMatchObject({ name: 'BucketAlreadyOwnedByYou' });
      const absent = client.send(new HeadBucketCommand({ Bucket: 'absent-bucket' }));
      await expect(absent).rejects.toMatchObject({ name: 'NotFound' });
    });
  });

  describe('listing', () => {
    const names = ['a', 'b/1', 'b/2', 'b/c/3', 'd', 'e & <f>'];

    beforeAll(async () => {
      for (const name of names) await put(`list/${name}`, name);
    });

    it('lists in order, page by page', async () => {
      const first = await list({ MaxKeys: 4 });
      const second = await list({ MaxKeys: 4, ContinuationToken: first.next });
      expect(first.keys).toEqual(names.slice(0, 4));
      expect(second).toEqual({ keys: names.slice(4), prefixes: [], next: undefined });
    });

    it('folds what lies below a delimiter, also over pages', async () => {
      expect(await list({ Delimiter: '/' })).toMatchObject({ keys: ['a', 'd', 'e & <f>'], prefixes: ['b/'] });
      const first = await list({ Delimiter: '/', MaxKeys: 2 });
      expect(first).toMatchObject({ keys: ['a'], prefixes: ['b/'] });
      const second = await list({ Delimiter: '/', MaxKeys: 2, ContinuationToken: first.next });
      expect(second).toMatchObject({ keys: ['d', 'e & <f>'], prefixes: [], next: undefined });
    });

    it('starts after a key', async () => {
      expect((await list({ StartAfter: `${prefix}/list/b/2` })).keys).toEqual(['b/c/3', 'd', 'e & <f>']);
    });
  });

  describe('multipart uploads', () => {
    const big = Buffer.alloc(PART_BYTES, 'p');

    async function begin(Key: string): Promise<{ Bucket: string; Key: string; UploadId: string }> {
      const { UploadId } = await client.send(
        new CreateMultipartUploadCommand({ Bucket, Key, ContentType: 'text/plain' }),
      );
      return { Bucket, Key, UploadId: UploadId! };
    }

    async function part(upload: Awaited<ReturnType<typeof begin>>, PartNumber: number, Body: Buffer | string) {
      const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber, Body }));
      return { PartNumber, ETag };
    }

    function complete(upload: Awaited<ReturnType<typeof begin>>, Parts: { PartNumber: number; ETag?: string }[]) {
      return client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
    }

    it('puts parts together in their order, and shows nothing before', async () => {
      const upload = await begin(`${prefix}/parts`);
      const last = await part(upload, 7, 'the end');
      const first = await part(upload, 2, big);
      await expect(get('parts')).rejects.toMatchObject({ name: 'NoSuchKey' });
      const listed = await client.send(new ListPartsCommand({ ...upload, MaxParts: 1 }));
      expect(listed).toMatchObject({
        IsTruncated: true,
        NextPartNumberMarker: '2',
        Parts: [{ PartNumber: 2, Size: PART_BYTES }],
      });
      const rest = await client.send(
        new ListPartsCommand({ ...upload, PartNumberMarker: listed.NextPartNumberMarker }),
      );
      expect(rest).toMatchObject({ IsTruncated: false, Parts: [{ PartNumber: 7, Size: 7 }] });
      const { ETag } = await complete(upload, [first, last]);
      expect(ETag).toBe(`"${md5(md5(big), md5('the end')).toString('hex')}-2"`);
      const found = await client.send(new GetObjectCommand({ Bucket, Key: upload.Key }));
      expect(found).toMatchObject({ ContentType: 'text/plain', ContentLength: PART_BYTES + 7, ETag });
      expect((await found.Body!.transformToString()).endsWith('pthe end')).toBe(true);
    });

    it('refuses parts that are out of order, unknown, changed or too small', async () => {
      const upload = await begin(`${prefix}/refused`);
      const [small, end] = [await part(upload, 1, 'small'), await part(upload, 2, big)];
      await expect(complete(upload, [end, small])).rejects.toMatchObject({ name: 'InvalidPartOrder' });
      const unknown = { ...end, PartNumber: 3 };
      await expect(complete(upload, [unknown])).rejects.toMatchObject({ name: 'InvalidPart' });
      await expect(complete(upload, [{ ...small, ETag: end.ETag }])).rejects.toMatchObject({ name: 'InvalidPart' });
      await expect(complete(upload, [small, end])).rejects.toMatchObject({ name: 'EntityTooSmall' });
      await client.send(new AbortMultipartUploadCommand(upload));
    });

    it('forgets an aborted upload', async () => {
      const upload = await begin(`${prefix}/aborted`);
      const only = await part(upload, 1, 'x');
      await client.send(new AbortMultipartUploadCommand(upload));
      await expect(part(upload, 2, 'x')).rejects.toMatchObject({ name: 'NoSuchUpload' });
      await expect(complete(upload, [only])).rejects.toMatchObject({ name: 'NoSuchUpload' });
      await expect(get('aborted')).rejects.toMatchObject({ name: 'NoSuchKey' });
    });
  });
});

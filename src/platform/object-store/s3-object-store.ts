import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { blocksOf, exactly, withFailures } from './object-body.js';
import { assertObjectKey } from './object-key.js';
import { MAX_PARTS, type PartTag } from './object-parts.js';
import { ObjectAbsent, ObjectChanged } from './object-store-failures.js';
import type { S3StoreConfiguration } from './object-store-options.js';
import {
  ObjectStore,
  UNNAMED_CONTENT_TYPE,
  type DownloadUrlOptions,
  type GetOptions,
  type ObjectStat,
  type PartsOptions,
  type PutOptions,
  type UploadUrlOptions,
} from './object-store.js';
import { patienceFor, S3_LIMITS, s3Client, type S3Limits } from './s3-client.js';
import { s3Failure } from './s3-failure.js';
import { S3Links } from './s3-links.js';
import { S3Parts } from './s3-parts.js';

/** A stream is held in memory so much at a time. */
const STREAM_PART_BYTES = 8 * 1024 * 1024;

export class S3ObjectStore extends ObjectStore {
  private readonly client: S3Client;
  /** For what a store works at for long without a word. */
  private readonly patientClient: S3Client;
  private readonly bucket: string;
  private readonly links: S3Links;
  private readonly parts: S3Parts;

  constructor(
    options: S3StoreConfiguration,
    private readonly limits: S3Limits = S3_LIMITS,
  ) {
    super();
    this.bucket = options.bucket;
    this.client = s3Client(options, options.endpoint, limits);
    this.patientClient = s3Client(options, options.endpoint, { ...limits, idleMs: limits.workMs });
    this.links = new S3Links(options);
    this.parts = new S3Parts(this.client, this.patientClient, this.bucket, limits);
  }

  async put(key: string, body: Buffer | Readable, options: PutOptions = {}): Promise<void> {
    if (Buffer.isBuffer(body)) return this.putBuffer(key, body, options);
    try {
      await translated(this.putStream(key, exactly(options.lengthBytes, body), options));
    } finally {
      body.destroy();
    }
  }

  async get(key: string, { fromByte = 0, version }: GetOptions = {}): Promise<Readable | null> {
    assertObjectKey(key);
    const Range = fromByte > 0 ? `bytes=${fromByte}-` : undefined;
    const command = new GetObjectCommand({ Bucket: this.bucket, Key: key, Range, IfMatch: version });
    try {
      const { Body } = await this.client.send(command, this.soon());
      if (Body instanceof Readable) return withFailures(Body, s3Failure);
    } catch (error) {
      if (isNamed(error, ...ABSENT)) return null;
      if (isNamed(error, CHANGED)) throw new ObjectChanged(key);
      if (isNamed(error, 'InvalidRange')) return Readable.from([]);
      throw s3Failure(error);
    }
    throw new Error('the S3 client gave no stream');
  }

  async stat(key: string): Promise<ObjectStat | null> {
    assertObjectKey(key);
    const command = new HeadObjectCommand({ Bucket: this.bucket, Key: key });
    try {
      const answer = await this.client.send(command, this.soon());
      const { ContentLength: sizeBytes, LastModified: modifiedAt, ETag: version } = answer;
      if (sizeBytes === undefined || !modifiedAt || version === undefined)
        throw new Error('the S3 store tells no size, time or version');
      return { sizeBytes, modifiedAt, version, contentType: answer.ContentType ?? UNNAMED_CONTENT_TYPE };
    } catch (error) {
      if (isNamed(error, ...ABSENT)) return null;
      throw s3Failure(error);
    }
  }

  async delete(key: string): Promise<void> {
    assertObjectKey(key);
    const command = new DeleteObjectCommand({ Bucket: this.bucket, Key: key });
    await translated(this.client.send(command, this.soon()));
  }

  async pin(from: string, to: string, version: string): Promise<ObjectStat> {
    assertObjectKey(from);
    assertObjectKey(to);
    const source = { CopySource: `${this.bucket}/${from}`, CopySourceIfMatch: version };
    const command = new CopyObjectCommand({ Bucket: this.bucket, Key: to, ...source });
    try {
      await this.patientClient.send(command, { requestTimeout: this.limits.workMs });
    } catch (error) {
      if (isNamed(error, ...ABSENT)) throw new ObjectAbsent(from);
      if (isNamed(error, CHANGED)) throw new ObjectChanged(from);
      throw s3Failure(error);
    }
    const pinned = await this.stat(to);
    if (!pinned) throw new ObjectAbsent(to);
    return pinned;
  }

  uploadUrl(key: string, options: UploadUrlOptions): Promise<string> {
    return this.links.upload(key, options);
  }

  downloadUrl(key: string, options: DownloadUrlOptions): Promise<string> {
    return this.links.download(key, options);
  }

  openParts(key: string, options: PartsOptions): Promise<string> {
    return this.parts.open(key, options);
  }

  putPart(key: string, uploadId: string, number: number, body: Buffer): Promise<PartTag> {
    return this.parts.put(key, uploadId, number, body);
  }

  discardParts(key: string): Promise<void> {
    return this.parts.discard(key);
  }

  protected assemble(key: string, uploadId: string, parts: readonly PartTag[]): Promise<void> {
    return this.parts.assemble(key, uploadId, parts);
  }

  private async putBuffer(
    key: string,
    body: Buffer,
    { contentType = UNNAMED_CONTENT_TYPE }: PutOptions,
  ): Promise<void> {
    assertObjectKey(key);
    const command = new PutObjectCommand({
      Bucket: this.bucket,
      Key: key,
      Body: body,
      ContentType: contentType ?? UNNAMED_CONTENT_TYPE,
    });
    await translated(this.client.send(command, patienceFor(body, this.limits)));
  }

  /**
   * In parts, each with its hash: there are stores (versitygw) that keep what came of a single PUT when its connection breaks.
   * A part of a broken body goes with its upload.
   */
  private async putStream(key: string, body: Readable, { lengthBytes = 0, contentType }: PutOptions): Promise<void> {
    assertObjectKey(key);
    const blocks = blocksOf(body, Math.max(STREAM_PART_BYTES, Math.ceil(lengthBytes / MAX_PARTS)));
    if (lengthBytes <= STREAM_PART_BYTES) {
      for await (const block of blocks) await this.putBuffer(key, block, { contentType });
      return;
    }
    const uploadId = await this.parts.open(key, { contentType: contentType ?? UNNAMED_CONTENT_TYPE });
    try {
      const tags: PartTag[] = [];
      for await (const block of blocks) tags.push(await this.parts.put(key, uploadId, tags.length + 1, block));
      await this.completeParts(key, uploadId, tags);
    } catch (error) {
      await this.parts.abort(key, uploadId).catch(() => undefined); // the first failure is the one that says why
      throw error;
    }
  }

  private soon(): { requestTimeout: number } {
    return { requestTimeout: this.limits.answerMs };
  }
}

const ABSENT = ['NoSuchKey', 'NotFound'];
const CHANGED = 'PreconditionFailed';

function isNamed(error: unknown, ...names: string[]): boolean {
  return error instanceof Error && names.includes(error.name);
}

async function translated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw s3Failure(error);
  }
}

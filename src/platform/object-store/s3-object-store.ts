import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { exactly } from './object-body.js';
import { assertObjectKey } from './object-key.js';
import type { S3StoreConfiguration } from './object-store-options.js';
import { ObjectStore, type ObjectStat, type PutOptions } from './object-store.js';

export interface S3Limits {
  readonly connectMs: number;
  /** From sending a request to the head of its answer; streams going up have only the idle limit. */
  readonly answerMs: number;
  /** Silence on a connection in the middle of a transfer, whichever side causes it. */
  readonly idleMs: number;
  readonly attempts: number;
}

const S3_LIMITS: S3Limits = { connectMs: 3_000, answerMs: 10_000, idleMs: 60_000, attempts: 3 };

function unlogged(): void {
  // What the client would print on the console is thrown as well, and logged by whoever asked.
}

const SILENT = { trace: unlogged, debug: unlogged, info: unlogged, warn: unlogged, error: unlogged };

export class S3ObjectStore extends ObjectStore {
  private readonly client: S3Client;
  private readonly bucket: string;
  private readonly answerMs: number;

  constructor(options: S3StoreConfiguration, limits: S3Limits = S3_LIMITS) {
    super();
    this.bucket = options.bucket;
    this.answerMs = limits.answerMs;
    this.client = new S3Client({
      endpoint: options.endpoint,
      region: options.region,
      credentials: { accessKeyId: options.accessKeyId, secretAccessKey: options.secretAccessKey },
      forcePathStyle: true,
      // The default adds checksum trailers that several S3 stores do not understand, and a checksum of nothing to presigned URLs.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      logger: SILENT,
      retryMode: 'standard',
      maxAttempts: limits.attempts,
      requestHandler: {
        connectionTimeout: limits.connectMs,
        socketTimeout: limits.idleMs,
        throwOnRequestTimeout: true,
      },
    });
  }

  async put(key: string, body: Buffer | Readable, { lengthBytes }: PutOptions = {}): Promise<void> {
    if (Buffer.isBuffer(body)) return this.putBuffer(key, body);
    try {
      await this.putStream(key, exactly(lengthBytes, body), lengthBytes);
    } finally {
      body.destroy();
    }
  }

  async get(key: string): Promise<Readable | null> {
    assertObjectKey(key);
    const command = new GetObjectCommand({ Bucket: this.bucket, Key: key });
    const answer = await unlessAbsent(this.client.send(command, { requestTimeout: this.answerMs }));
    if (!answer) return null;
    if (answer.Body instanceof Readable) return answer.Body;
    throw new Error('the S3 client gave no stream');
  }

  async stat(key: string): Promise<ObjectStat | null> {
    assertObjectKey(key);
    const command = new HeadObjectCommand({ Bucket: this.bucket, Key: key });
    const answer = await unlessAbsent(this.client.send(command, { requestTimeout: this.answerMs }));
    if (!answer) return null;
    const { ContentLength: sizeBytes, LastModified: modifiedAt } = answer;
    if (sizeBytes === undefined || !modifiedAt) throw new Error('the S3 store tells no size or time');
    return { sizeBytes, modifiedAt };
  }

  async delete(key: string): Promise<void> {
    assertObjectKey(key);
    const command = new DeleteObjectCommand({ Bucket: this.bucket, Key: key });
    await this.client.send(command, { requestTimeout: this.answerMs });
  }

  private async putBuffer(key: string, body: Buffer): Promise<void> {
    assertObjectKey(key);
    const command = new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: body });
    await this.client.send(command, { requestTimeout: this.answerMs });
  }

  /** The client pipes a stream without watching it, so a body that breaks has to end the request from here. */
  private async putStream(key: string, body: Readable, lengthBytes?: number): Promise<void> {
    assertObjectKey(key);
    const broken = new AbortController();
    body.on('error', (error) => broken.abort(error));
    const command = new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: body, ContentLength: lengthBytes });
    try {
      await this.client.send(command, { abortSignal: broken.signal });
    } catch (error) {
      throw broken.signal.aborted ? broken.signal.reason : error;
    } finally {
      body.destroy();
    }
  }
}

const ABSENT = new Set(['NoSuchKey', 'NotFound']);

async function unlessAbsent<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof S3ServiceException && ABSENT.has(error.name)) return null;
    throw error;
  }
}

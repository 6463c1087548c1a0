import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { assertObjectKey } from './object-key.js';
import { assertPartNumber, type PartTag } from './object-parts.js';
import { ObjectChanged, UploadGone } from './object-store-failures.js';
import type { PartsOptions } from './object-store.js';
import { patienceFor, type S3Limits } from './s3-client.js';
import { s3Failure } from './s3-failure.js';

/** Uploads in parts as S3 has them. */
export class S3Parts {
  constructor(
    private readonly client: S3Client,
    private readonly patientClient: S3Client,
    private readonly bucket: string,
    private readonly limits: S3Limits,
  ) {}

  async open(key: string, { contentType, contentEncoding }: PartsOptions): Promise<string> {
    assertObjectKey(key);
    const options = { ContentType: contentType, ContentEncoding: contentEncoding };
    const command = new CreateMultipartUploadCommand({ Bucket: this.bucket, Key: key, ...options });
    const { UploadId } = await this.answer(key, this.client.send(command, this.soon()));
    if (UploadId === undefined) throw new Error('the S3 store names no upload');
    return UploadId;
  }

  async put(key: string, uploadId: string, number: number, body: Buffer): Promise<PartTag> {
    assertObjectKey(key);
    assertPartNumber(number);
    const place = { Bucket: this.bucket, Key: key, UploadId: uploadId, PartNumber: number };
    const command = new UploadPartCommand({ ...place, Body: body });
    const { ETag } = await this.answer(key, this.client.send(command, patienceFor(body, this.limits)));
    if (ETag === undefined) throw new Error('the S3 store gives a part no tag');
    return { number, tag: ETag, sizeBytes: body.length };
  }

  /** @param parts in their order */
  async assemble(key: string, uploadId: string, parts: readonly PartTag[]): Promise<void> {
    assertObjectKey(key);
    const command = new CompleteMultipartUploadCommand({
      Bucket: this.bucket,
      Key: key,
      UploadId: uploadId,
      MultipartUpload: { Parts: parts.map(({ number, tag }) => ({ PartNumber: number, ETag: tag })) },
    });
    try {
      await this.answer(key, this.patientClient.send(command, { requestTimeout: this.limits.workMs }));
    } catch (error) {
      // Some stores miss the parts before they miss the upload.
      if (error instanceof ObjectChanged) await this.assertKnown(key, uploadId);
      throw error;
    }
  }

  async discard(key: string): Promise<void> {
    assertObjectKey(key);
    let marker: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {};
    while (marker) {
      const command: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({
        Bucket: this.bucket,
        Prefix: key,
        ...marker,
      });
      const page = await this.answer(key, this.client.send(command, this.soon()));
      for (const { Key, UploadId } of page.Uploads ?? []) if (Key === key) await this.abort(key, UploadId);
      marker = page.IsTruncated
        ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
        : undefined;
    }
  }

  /** An upload that is gone already is no error. */
  async abort(key: string, uploadId: string | undefined): Promise<void> {
    const command = new AbortMultipartUploadCommand({ Bucket: this.bucket, Key: key, UploadId: uploadId });
    try {
      await this.answer(key, this.client.send(command, this.soon()));
    } catch (error) {
      if (!(error instanceof UploadGone)) throw error;
    }
  }

  private async assertKnown(key: string, uploadId: string): Promise<void> {
    const command = new ListPartsCommand({ Bucket: this.bucket, Key: key, UploadId: uploadId, MaxParts: 1 });
    await this.answer(key, this.client.send(command, this.soon()));
  }

  private soon(): { requestTimeout: number } {
    return { requestTimeout: this.limits.answerMs };
  }

  private async answer<T>(key: string, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      const { name } = error as Error;
      if (name === 'NoSuchUpload') throw new UploadGone(key);
      if (name === 'InvalidPart') throw new ObjectChanged(key);
      throw s3Failure(error);
    }
  }
}

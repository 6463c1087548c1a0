import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { attachment } from './content-disposition.js';
import { assertObjectKey } from './object-key.js';
import type { S3StoreConfiguration } from './object-store-options.js';
import type { DownloadUrlOptions, UploadUrlOptions, UrlLife } from './object-store.js';
import { S3_LIMITS, s3Client } from './s3-client.js';

/** Presigned URLs, with the address under which the store is reached from outside. */
export class S3Links {
  private readonly client: ReturnType<typeof s3Client>;
  private readonly bucket: string;

  constructor(options: S3StoreConfiguration) {
    this.client = s3Client(options, options.publicEndpoint, S3_LIMITS);
    this.bucket = options.bucket;
  }

  async upload(key: string, { contentType, ...life }: UploadUrlOptions): Promise<string> {
    assertObjectKey(key);
    const command = new PutObjectCommand({ Bucket: this.bucket, Key: key, ContentType: contentType });
    return getSignedUrl(this.client, command, { ...lifeOf(life), signableHeaders: new Set(['host', 'content-type']) });
  }

  async download(key: string, options: DownloadUrlOptions): Promise<string> {
    const { fileName, contentType, contentEncoding, ...life } = options;
    assertObjectKey(key);
    const command = new GetObjectCommand({
      Bucket: this.bucket,
      Key: key,
      ResponseContentDisposition: attachment(fileName),
      ResponseContentType: contentType,
      ResponseContentEncoding: contentEncoding,
    });
    return getSignedUrl(this.client, command, lifeOf(life));
  }
}

function lifeOf({ openedAt, lifetimeSeconds }: UrlLife): { signingDate: Date; expiresIn: number } {
  return { signingDate: openedAt, expiresIn: lifetimeSeconds };
}

// @ts-check
import { createHash } from 'node:crypto';
import { S3Error } from './s3-error.mjs';

/**
 * @typedef {object} StoredObject
 * @property {Buffer} bytes
 * @property {string} etag with its quotes, as in every header and document
 * @property {Date} modifiedAt
 * @property {Record<string, string>} headers given at the put, given back at each get
 * @property {Map<string, string>} checksums
 * @typedef {{ bytes: Buffer, etag: string, modifiedAt: Date }} StoredPart
 * @typedef {{ key: string, headers: Record<string, string>, parts: Map<number, StoredPart> }} Upload
 * @typedef {{ objects: Map<string, StoredObject>, uploads: Map<string, Upload> }} Bucket
 */

const KEPT_HEADER = /^(content-(type|encoding|disposition|language)|cache-control|expires|x-amz-meta-.+)$/;

/** Everything that the server keeps, in memory. */
export class Buckets {
  constructor() {
    /** @type {Map<string, Bucket>} */
    this.byName = new Map();
  }

  /** @param {string} name */
  create(name) {
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) throw new S3Error('InvalidBucketName');
    if (this.byName.has(name)) throw new S3Error('BucketAlreadyOwnedByYou');
    this.byName.set(name, { objects: new Map(), uploads: new Map() });
  }

  /** @param {string} name */
  get(name) {
    const bucket = this.byName.get(name);
    if (!bucket) throw new S3Error('NoSuchBucket');
    return bucket;
  }
}

/** @param {Bucket} bucket @param {string} key */
export function objectOf(bucket, key) {
  const object = bucket.objects.get(key);
  if (!object) throw new S3Error('NoSuchKey');
  return object;
}

/** @param {Buffer} bytes */
export function etagOf(bytes) {
  return `"${createHash('md5').update(bytes).digest('hex')}"`;
}

/** @param {import('./s3-request.mjs').S3Request} request */
export function keptHeaders(request) {
  const names = [...Object.keys(request.http.headers), ...request.query.map(([name]) => name.toLowerCase())];
  const kept = names.filter((name) => KEPT_HEADER.test(name)).map((name) => [name, request.amz(name) ?? '']);
  return { 'content-type': 'binary/octet-stream', ...Object.fromEntries(kept) };
}

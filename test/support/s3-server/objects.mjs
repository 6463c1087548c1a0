// @ts-check
import { assertMayCopy, assertMayReplace, isNotModified } from './conditions.mjs';
import { S3Error } from './s3-error.mjs';
import { decode } from './s3-request.mjs';
import { etagOf, keptHeaders, objectOf } from './stored.mjs';
import { element, textElement, xmlDocument } from './xml.mjs';

/**
 * @typedef {import('./stored.mjs').Buckets} Buckets
 * @typedef {import('./s3-request.mjs').S3Request} S3Request
 * @typedef {import('./request-body.mjs').ProvenBody} ProvenBody
 * @typedef {{ status: number, headers?: Record<string, string>, xml?: string, bytes?: Buffer }} Answer
 * @typedef {{ request: S3Request, buckets: Buckets, body: ProvenBody }} Call
 */

/** @param {Call} call @returns {Answer} */
export function getObject({ request, buckets }) {
  const object = objectOf(buckets.get(request.bucket), request.key);
  if (isNotModified(request, object)) return { status: 304, headers: { etag: object.etag } };
  const range = rangeOf(request.header('range'), object.bytes.length);
  const headers = {
    ...object.headers,
    ...overridesIn(request),
    etag: object.etag,
    'last-modified': object.modifiedAt.toUTCString(),
    'accept-ranges': 'bytes',
  };
  if (!range) return { status: 200, headers: { ...headers, ...checksumHeaders(request, object) }, bytes: object.bytes };
  const [first, last] = range;
  const contentRange = `bytes ${first}-${last}/${object.bytes.length}`;
  const bytes = object.bytes.subarray(first, last + 1);
  return { status: 206, headers: { ...headers, 'content-range': contentRange }, bytes };
}

/** @param {Call} call @returns {Answer} */
export function putObject({ request, buckets, body }) {
  const bucket = buckets.get(request.bucket);
  assertMayReplace(request, bucket.objects.get(request.key));
  const etag = etagOf(body.bytes);
  const headers = keptHeaders(request);
  const { bytes, checksums } = body;
  bucket.objects.set(request.key, { bytes, etag, modifiedAt: new Date(), headers, checksums });
  return { status: 200, headers: { etag, ...Object.fromEntries(checksums) } };
}

/** @param {Call} call @returns {Answer} */
export function copyObject({ request, buckets }) {
  const [, sourceBucket, sourceKey] = /^\/?([^/]+)\/(.+)$/s.exec(decode(request.amz('x-amz-copy-source') ?? '')) ?? [];
  if (!sourceBucket || !sourceKey)
    throw new S3Error('InvalidArgument', 'Copy Source must mention the source bucket and key');
  const source = objectOf(buckets.get(sourceBucket), sourceKey);
  assertMayCopy(request, source);
  const target = buckets.get(request.bucket);
  assertMayReplace(request, target.objects.get(request.key));
  const replacesHeaders = request.amz('x-amz-metadata-directive') === 'REPLACE';
  if (source === target.objects.get(request.key) && !replacesHeaders) {
    throw new S3Error(
      'InvalidRequest',
      'This copy request is illegal because it copies an object to itself without a change.',
    );
  }
  const headers = replacesHeaders ? keptHeaders(request) : source.headers;
  const copy = { ...source, etag: etagOf(source.bytes), modifiedAt: new Date(), headers };
  target.objects.set(request.key, copy);
  const lastModified = textElement('LastModified', copy.modifiedAt.toISOString());
  return { status: 200, xml: xmlDocument(element('CopyObjectResult', lastModified, textElement('ETag', copy.etag))) };
}

/** @param {Call} call @returns {Answer} */
export function deleteObject({ request, buckets }) {
  buckets.get(request.bucket).objects.delete(request.key);
  return { status: 204 };
}

/**
 * First and last byte; a range that is not well-formed is ignored, as RFC 9110 says.
 * @param {string | undefined} header @param {number} size @returns {[number, number] | undefined}
 */
function rangeOf(header, size) {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  if (from === '') return withinObject(size - Math.min(Number(to), size), size - 1, size);
  if (to !== '' && Number(from) > Number(to)) return undefined;
  return withinObject(Number(from), to === '' ? size - 1 : Math.min(Number(to), size - 1), size);
}

/** @param {number} first @param {number} last @param {number} size @returns {[number, number]} */
function withinObject(first, last, size) {
  if (first >= size) throw new S3Error('InvalidRange');
  return [first, last];
}

/** What a signed URL says that the answer's headers should be. @param {S3Request} request */
function overridesIn({ query }) {
  const overrides = query.filter(([name]) => name.startsWith('response-'));
  return Object.fromEntries(overrides.map(([name, value]) => [name.slice('response-'.length), value]));
}

/** @param {S3Request} request @param {import('./stored.mjs').StoredObject} object */
function checksumHeaders(request, object) {
  return request.amz('x-amz-checksum-mode') === 'ENABLED' ? Object.fromEntries(object.checksums) : {};
}

// @ts-check
import { createHash, randomUUID } from 'node:crypto';
import { assertMayReplace } from './conditions.mjs';
import { S3Error } from './s3-error.mjs';
import { etagOf, keptHeaders } from './stored.mjs';
import { element, elementsOf, textElement, textOf, xmlDocument } from './xml.mjs';

const SMALLEST_INNER_PART_BYTES = 5 * 1024 * 1024;
const LARGEST_PART_NUMBER = 10_000;
const LARGEST_PAGE = 1000;

/**
 * @typedef {import('./objects.mjs').Answer} Answer
 * @typedef {import('./objects.mjs').Call} Call
 * @typedef {import('./stored.mjs').Upload} Upload
 */

/** @param {Call} call @returns {Answer} */
export function createUpload({ request, buckets }) {
  const { bucket, key } = request;
  const uploadId = randomUUID();
  buckets.get(bucket).uploads.set(uploadId, { key, headers: keptHeaders(request), parts: new Map() });
  return {
    status: 200,
    xml: xmlDocument(element('InitiateMultipartUploadResult', ...identity(bucket, key, uploadId))),
  };
}

/** @param {Call} call @returns {Answer} */
export function uploadPart({ request, buckets, body }) {
  const { upload } = findUpload(request, buckets);
  const number = Number(request.parameter('partNumber'));
  if (!Number.isInteger(number) || number < 1 || number > LARGEST_PART_NUMBER) {
    throw new S3Error(
      'InvalidArgument',
      `Part number must be an integer between 1 and ${LARGEST_PART_NUMBER}, inclusive`,
    );
  }
  const etag = etagOf(body.bytes);
  upload.parts.set(number, { bytes: body.bytes, etag, modifiedAt: new Date() });
  return { status: 200, headers: { etag, ...Object.fromEntries(body.checksums) } };
}

/** @param {Call} call @returns {Answer} */
export function listParts({ request, buckets }) {
  const { uploadId, upload } = findUpload(request, buckets);
  const after = Number(request.parameter('part-number-marker') ?? 0);
  const limit = Math.min(Number(request.parameter('max-parts') ?? LARGEST_PAGE), LARGEST_PAGE);
  const rest = [...upload.parts].filter(([number]) => number > after).sort(([a], [b]) => a - b);
  const page = rest.slice(0, limit);
  const parts = page.map(([number, part]) =>
    element(
      'Part',
      textElement('PartNumber', number),
      textElement('LastModified', part.modifiedAt.toISOString()),
      textElement('ETag', part.etag),
      textElement('Size', part.bytes.length),
    ),
  );
  const root = element(
    'ListPartsResult',
    ...identity(request.bucket, request.key, uploadId),
    textElement('PartNumberMarker', after),
    textElement('NextPartNumberMarker', page.at(-1)?.[0] ?? 0),
    textElement('MaxParts', limit),
    textElement('IsTruncated', rest.length > page.length),
    ...parts,
  );
  return { status: 200, xml: xmlDocument(root) };
}

/** All in one page. @param {Call} call @returns {Answer} */
export function listUploads({ request, buckets }) {
  const prefix = request.parameter('prefix') ?? '';
  const uploads = [...buckets.get(request.bucket).uploads].filter(([, { key }]) => key.startsWith(prefix));
  const root = element(
    'ListMultipartUploadsResult',
    textElement('Bucket', request.bucket),
    textElement('IsTruncated', false),
    ...uploads.map(([uploadId, { key }]) =>
      element('Upload', textElement('Key', key), textElement('UploadId', uploadId)),
    ),
  );
  return { status: 200, xml: xmlDocument(root) };
}

/** @param {Call} call @returns {Answer} */
export function completeUpload({ request, buckets, body }) {
  const { bucket, uploadId, upload } = findUpload(request, buckets);
  const parts = partsAskedFor(body.bytes.toString('utf8'), upload);
  assertMayReplace(request, bucket.objects.get(upload.key));
  const digests = parts.map((part) => Buffer.from(part.etag.replaceAll('"', ''), 'hex'));
  const etag = `"${createHash('md5').update(Buffer.concat(digests)).digest('hex')}-${parts.length}"`;
  const bytes = Buffer.concat(parts.map((part) => part.bytes));
  bucket.objects.set(upload.key, {
    bytes,
    etag,
    modifiedAt: new Date(),
    headers: upload.headers,
    checksums: new Map(),
  });
  bucket.uploads.delete(uploadId);
  const [bucketName, key] = identity(request.bucket, upload.key, uploadId);
  const location = textElement('Location', request.path);
  const root = element('CompleteMultipartUploadResult', location, bucketName, key, textElement('ETag', etag));
  return { status: 200, xml: xmlDocument(root) };
}

/** @param {Call} call @returns {Answer} */
export function abortUpload({ request, buckets }) {
  const { bucket, uploadId } = findUpload(request, buckets);
  bucket.uploads.delete(uploadId);
  return { status: 204 };
}

/** @param {Call['request']} request @param {Call['buckets']} buckets */
function findUpload(request, buckets) {
  const bucket = buckets.get(request.bucket);
  const uploadId = request.parameter('uploadId') ?? '';
  const upload = bucket.uploads.get(uploadId);
  if (upload?.key !== request.key) throw new S3Error('NoSuchUpload');
  return { bucket, uploadId, upload };
}

/** @param {string} xml @param {Upload} upload */
function partsAskedFor(xml, upload) {
  const asked = elementsOf(xml, 'Part').map((part) => ({
    number: Number(textOf(part, 'PartNumber')),
    etag: textOf(part, 'ETag')?.replace(/^"?(.*?)"?$/, '"$1"'),
  }));
  if (asked.length === 0) throw new S3Error('MalformedXML');
  if (asked.some(({ number }, index) => index > 0 && number <= (asked[index - 1]?.number ?? 0))) {
    throw new S3Error('InvalidPartOrder');
  }
  return asked.map(({ number, etag }, index) => {
    const part = upload.parts.get(number);
    if (!part || part.etag !== etag) throw new S3Error('InvalidPart');
    if (index < asked.length - 1 && part.bytes.length < SMALLEST_INNER_PART_BYTES) throw new S3Error('EntityTooSmall');
    return part;
  });
}

/** @param {string} bucket @param {string} key @param {string} uploadId @returns {[string, string, string]} */
function identity(bucket, key, uploadId) {
  return [textElement('Bucket', bucket), textElement('Key', key), textElement('UploadId', uploadId)];
}

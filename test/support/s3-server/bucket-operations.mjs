// @ts-check
import { S3Error } from './s3-error.mjs';
import { encode } from './s3-request.mjs';
import { element, elementsOf, textElement, textOf, xmlDocument } from './xml.mjs';

const LARGEST_PAGE = 1000;

/**
 * @typedef {import('./objects.mjs').Answer} Answer
 * @typedef {import('./objects.mjs').Call} Call
 * @typedef {import('./stored.mjs').StoredObject} StoredObject
 * @typedef {{ name: string, object?: StoredObject }} Entry a key, or without an object the common prefix of several keys
 */

/** @param {Call} call @returns {Answer} */
export function createBucket({ request, buckets }) {
  buckets.create(request.bucket);
  return { status: 200, headers: { location: `/${request.bucket}` } };
}

/** @param {Call} call @returns {Answer} */
export function headBucket({ request, buckets }) {
  buckets.get(request.bucket);
  return { status: 200 };
}

/** @param {Call} call @returns {Answer} */
export function deleteObjects({ request, buckets, body }) {
  const bucket = buckets.get(request.bucket);
  if (body.checksums.size === 0 && request.header('content-md5') === undefined) {
    throw new S3Error('InvalidRequest', 'Missing required header for this request: Content-MD5');
  }
  const xml = body.bytes.toString('utf8');
  const keys = elementsOf(xml, 'Object').map((object) => textOf(object, 'Key'));
  if (keys.length === 0 || keys.length > LARGEST_PAGE) throw new S3Error('MalformedXML');
  const deleted = keys.map((key) => {
    if (key === undefined) throw new S3Error('MalformedXML');
    bucket.objects.delete(key);
    return element('Deleted', textElement('Key', key));
  });
  const quiet = textOf(xml, 'Quiet') === 'true';
  return { status: 200, xml: xmlDocument(element('DeleteResult', ...(quiet ? [] : deleted))) };
}

/** @param {Call} call @returns {Answer} */
export function listObjects({ request, buckets }) {
  const bucket = buckets.get(request.bucket);
  if (request.parameter('list-type') !== '2') throw new S3Error('NotImplemented', 'only ListObjectsV2 is implemented');
  const prefix = request.parameter('prefix') ?? '';
  const delimiter = request.parameter('delimiter') ?? '';
  const token = request.parameter('continuation-token');
  const after = token === undefined ? (request.parameter('start-after') ?? '') : nameInToken(token);
  const limit = pageSize(request.parameter('max-keys'));
  const rest = entriesOf(bucket.objects, prefix, delimiter).filter((entry) => isAfter(entry.name, after));
  const page = rest.slice(0, limit);
  const truncated = rest.length > page.length && limit > 0;
  const shown = request.parameter('encoding-type') === 'url' ? encodeName : (/** @type {string} */ name) => name;
  const root = element(
    'ListBucketResult',
    textElement('Name', request.bucket),
    textElement('Prefix', shown(prefix)),
    delimiter === '' ? '' : textElement('Delimiter', shown(delimiter)),
    textElement('MaxKeys', limit),
    textElement('KeyCount', page.length),
    textElement('IsTruncated', truncated),
    request.parameter('encoding-type') === 'url' ? textElement('EncodingType', 'url') : '',
    token === undefined ? '' : textElement('ContinuationToken', token),
    truncated ? textElement('NextContinuationToken', tokenFor(page.at(-1)?.name ?? '')) : '',
    ...page.map((entry) => describe(entry, shown)),
  );
  return { status: 200, xml: xmlDocument(root) };
}

/** @param {Map<string, StoredObject>} objects @param {string} prefix @param {string} delimiter @returns {Entry[]} */
function entriesOf(objects, prefix, delimiter) {
  /** @type {Map<string, Entry>} */
  const entries = new Map();
  for (const [key, object] of objects) {
    if (!key.startsWith(prefix)) continue;
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const name = end < 0 ? key : key.slice(0, end + delimiter.length);
    entries.set(name, end < 0 ? { name, object } : { name });
  }
  return [...entries.values()].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}

/** @param {string} name @param {string} after */
function isAfter(name, after) {
  return Buffer.compare(Buffer.from(name), Buffer.from(after)) > 0;
}

/** @param {string | undefined} maxKeys */
function pageSize(maxKeys) {
  if (maxKeys === undefined) return LARGEST_PAGE;
  if (!/^\d{1,9}$/.test(maxKeys))
    throw new S3Error('InvalidArgument', 'Provided max-keys not an integer or within range');
  return Math.min(Number(maxKeys), LARGEST_PAGE);
}

/** @param {string} name */
function tokenFor(name) {
  return Buffer.from(`after:${name}`).toString('base64url');
}

/** @param {string} token */
function nameInToken(token) {
  const text = Buffer.from(token, 'base64url').toString('utf8');
  if (!text.startsWith('after:')) throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect');
  return text.slice('after:'.length);
}

/** @param {Entry} entry @param {(name: string) => string} shown */
function describe({ name, object }, shown) {
  if (!object) return element('CommonPrefixes', textElement('Prefix', shown(name)));
  return element(
    'Contents',
    textElement('Key', shown(name)),
    textElement('LastModified', object.modifiedAt.toISOString()),
    textElement('ETag', object.etag),
    textElement('Size', object.bytes.length),
    textElement('StorageClass', 'STANDARD'),
  );
}

/** @param {string} name */
function encodeName(name) {
  return name.split('/').map(encode).join('/');
}

// @ts-check
import { assertChecksums, assertContentMd5, isChecksumHeader } from './checksums.mjs';
import { decodeChunkedBody } from './chunked-body.mjs';
import { S3Error } from './s3-error.mjs';
import { sha256 } from './signature.mjs';

const LARGEST_BODY_BYTES = 512 * 1024 * 1024;

/** @type {Record<string, { signed: boolean, trailer: boolean }>} */
const STREAMING = {
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER': { signed: false, trailer: true },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': { signed: true, trailer: false },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': { signed: true, trailer: true },
};

/**
 * @typedef {import('./s3-request.mjs').S3Request} S3Request
 * @typedef {{ bytes: Buffer, checksums: Map<string, string> }} ProvenBody
 */

/**
 * The body, after everything that the request says about it was found true.
 * @param {S3Request} request @param {ReturnType<import('./signature.mjs').authenticate>} authentication
 * @param {boolean} [keepCut] takes what came for the whole where the connection broke
 * @returns {Promise<ProvenBody>}
 */
export async function readBody(request, { payloadHash, chain }, keepCut = false) {
  const streaming = STREAMING[payloadHash];
  assertLengthTold(request, streaming !== undefined);
  request.sendContinue();
  const raw = await collect(request, keepCut);
  const checksums = givenChecksums(request);
  const bytes = streaming ? decodeStreamed(request, raw, { ...streaming, chain }, checksums) : raw;
  if (!streaming) assertPayloadHash(raw, payloadHash);
  assertContentMd5(bytes, request.header('content-md5'));
  assertChecksums(bytes, checksums);
  return { bytes, checksums };
}

/** @param {S3Request} request @param {boolean} streaming */
function assertLengthTold(request, streaming) {
  const told = request.header(streaming ? 'x-amz-decoded-content-length' : 'content-length');
  if (told === undefined && (streaming || request.method === 'PUT')) throw new S3Error('MissingContentLength');
  if (Number(told ?? 0) > LARGEST_BODY_BYTES) throw new S3Error('EntityTooLarge');
}

/** @param {S3Request} request @param {boolean} keepCut */
async function collect({ http }, keepCut) {
  const chunks = [];
  let length = 0;
  try {
    for await (const chunk of http) {
      length += chunk.length;
      if (length > LARGEST_BODY_BYTES * 1.1) break;
      chunks.push(chunk);
    }
  } catch {
    if (!keepCut) throw new S3Error('IncompleteBody');
  }
  if (length > LARGEST_BODY_BYTES * 1.1) throw new S3Error('EntityTooLarge');
  return Buffer.concat(chunks);
}

/** @param {Buffer} raw @param {string} payloadHash */
function assertPayloadHash(raw, payloadHash) {
  if (payloadHash === 'UNSIGNED-PAYLOAD') return;
  if (!/^[0-9a-f]{64}$/.test(payloadHash)) {
    throw new S3Error(
      'InvalidArgument',
      'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-…, or a valid sha256 value.',
    );
  }
  if (sha256(raw) !== payloadHash) throw new S3Error('XAmzContentSHA256Mismatch');
}

/**
 * @param {S3Request} request @param {Buffer} raw @param {Parameters<typeof decodeChunkedBody>[1]} options
 * @param {Map<string, string>} checksums takes up the checksum of the trailer
 */
function decodeStreamed(request, raw, options, checksums) {
  const { body, trailers } = decodeChunkedBody(raw, options);
  if (body.length !== Number(request.header('x-amz-decoded-content-length'))) throw new S3Error('IncompleteBody');
  const announced = (request.header('x-amz-trailer') ?? '').split(',').map((name) => name.trim().toLowerCase());
  for (const name of announced.filter((each) => each !== '')) {
    const value = trailers.get(name);
    if (value === undefined) throw new S3Error('MalformedTrailerError', `the trailer ${name} is missing`);
    if (name.startsWith('x-amz-checksum-')) checksums.set(name, value);
  }
  return body;
}

/** @param {S3Request} request @returns {Map<string, string>} */
function givenChecksums(request) {
  const names = [...Object.keys(request.http.headers), ...request.query.map(([name]) => name.toLowerCase())];
  const given = new Map();
  for (const name of names.filter(isChecksumHeader)) given.set(name, request.amz(name));
  return given;
}

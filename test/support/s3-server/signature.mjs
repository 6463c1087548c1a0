// @ts-check
import { createHash, createHmac } from 'node:crypto';
import { S3Error } from './s3-error.mjs';

const ALGORITHM = 'AWS4-HMAC-SHA256';
const LARGEST_SKEW_MS = 15 * 60_000;
const LONGEST_PRESIGNED_SECONDS = 7 * 24 * 3600;

/**
 * @typedef {import('./s3-request.mjs').S3Request} S3Request
 * @typedef {{ region: string, accessKeyId: string, secretAccessKey: string }} Account
 * @typedef {object} Claim what a request says of its own signature
 * @property {string} credential
 * @property {string[]} signedHeaders
 * @property {string} signature
 * @property {string} timestamp
 * @property {string} payloadHash
 * @property {number} [expiresSeconds] only a presigned one has it
 * @typedef {object} SigningChain what the signatures of the chunks of a body go on from
 * @property {Buffer} signingKey
 * @property {string} timestamp
 * @property {string} scope
 * @property {string} signature
 */

/**
 * Version 4 signatures, in the headers or in the query; throws unless the request is signed by the account, now.
 * @param {S3Request} request @param {Account} account
 * @returns {{ payloadHash: string, chain: SigningChain }}
 */
export function authenticate(request, account) {
  const presigned = request.parameter('X-Amz-Algorithm') !== undefined;
  const claim = presigned ? claimOfQuery(request) : claimOfHeaders(request);
  const malformed = presigned ? 'AuthorizationQueryParametersError' : 'AuthorizationHeaderMalformed';
  const [accessKeyId, ...scopeParts] = claim.credential.split('/');
  const day = claim.timestamp.slice(0, 8);
  const scope = `${day}/${account.region}/s3/aws4_request`;
  if (scopeParts.join('/') !== scope) throw new S3Error(malformed, `the credential scope must be ${scope}`);
  if (accessKeyId !== account.accessKeyId) throw new S3Error('InvalidAccessKeyId');
  assertInTime(claim);
  assertAllSigned(request, claim);
  const signingKey = [day, account.region, 's3', 'aws4_request'].reduce(
    (key, part) => hmac(key, part),
    Buffer.from(`AWS4${account.secretAccessKey}`),
  );
  const chain = { signingKey, timestamp: claim.timestamp, scope, signature: claim.signature };
  if (signatureOf(chain, ALGORITHM, sha256(canonicalRequest(request, claim))) !== claim.signature) {
    throw new S3Error('SignatureDoesNotMatch');
  }
  return { payloadHash: claim.payloadHash, chain };
}

/** @param {SigningChain} chain @param {string} algorithm @param {...string} hashes */
export function signatureOf(chain, algorithm, ...hashes) {
  return hmac(chain.signingKey, [algorithm, chain.timestamp, chain.scope, ...hashes].join('\n')).toString('hex');
}

/** @param {string | Buffer} data */
export function sha256(data) {
  return createHash('sha256').update(data).digest('hex');
}

/** @param {Buffer} key @param {string} data */
function hmac(key, data) {
  return createHmac('sha256', key).update(data).digest();
}

/** @param {S3Request} request @returns {Claim} */
function claimOfHeaders(request) {
  const authorization = request.header('authorization');
  if (authorization === undefined) throw new S3Error('AccessDenied');
  const form = /^AWS4-HMAC-SHA256 Credential=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{64})$/;
  const [, credential, signedHeaders, signature] = form.exec(authorization) ?? [];
  if (!credential || !signedHeaders || !signature) throw new S3Error('AuthorizationHeaderMalformed');
  const timestamp = request.header('x-amz-date');
  if (!timestamp) throw new S3Error('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header');
  const payloadHash = request.header('x-amz-content-sha256');
  if (!payloadHash)
    throw new S3Error('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  return { credential, signedHeaders: signedHeaders.split(';'), signature, timestamp, payloadHash };
}

/** @param {S3Request} request @returns {Claim} */
function claimOfQuery(request) {
  const [algorithm, credential, timestamp, expires, signedHeaders, signature] = [
    'X-Amz-Algorithm',
    'X-Amz-Credential',
    'X-Amz-Date',
    'X-Amz-Expires',
    'X-Amz-SignedHeaders',
    'X-Amz-Signature',
  ].map((name) => request.parameter(name));
  const expiresSeconds = Number(expires);
  const inBounds = expiresSeconds >= 1 && expiresSeconds <= LONGEST_PRESIGNED_SECONDS;
  if (algorithm !== ALGORITHM || !credential || !timestamp || !signedHeaders || !signature || !inBounds) {
    throw new S3Error('AuthorizationQueryParametersError');
  }
  const payloadHash = request.amz('x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD';
  return { credential, signedHeaders: signedHeaders.split(';'), signature, timestamp, payloadHash, expiresSeconds };
}

/** @param {Claim} claim */
function assertInTime({ timestamp, expiresSeconds }) {
  const form = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;
  if (!form.test(timestamp)) throw new S3Error('AccessDenied', 'x-amz-date must be in the ISO8601 form');
  const aheadMs = Date.parse(timestamp.replace(form, '$1-$2-$3T$4:$5:$6Z')) - Date.now();
  if (expiresSeconds === undefined) {
    if (Math.abs(aheadMs) > LARGEST_SKEW_MS) throw new S3Error('RequestTimeTooSkewed');
    return;
  }
  if (aheadMs > LARGEST_SKEW_MS) throw new S3Error('AccessDenied', 'Request is not valid yet');
  if (-aheadMs > expiresSeconds * 1000) throw new S3Error('AccessDenied', 'Request has expired');
}

/** @param {S3Request} request @param {Claim} claim */
function assertAllSigned(request, { signedHeaders }) {
  const present = Object.keys(request.http.headers);
  const needed = present.filter((name) => name === 'host' || name.startsWith('x-amz-'));
  const unsigned = needed.filter((name) => !signedHeaders.includes(name));
  if (unsigned.length > 0) {
    throw new S3Error('AccessDenied', `There were headers present which were not signed: ${unsigned.join(', ')}`);
  }
}

/** @param {S3Request} request @param {Claim} claim */
function canonicalRequest(request, { signedHeaders, payloadHash }) {
  const headers = signedHeaders.map((name) => `${name}:${(request.header(name) ?? '').trim().replace(/ +/g, ' ')}\n`);
  return [
    request.method,
    request.canonicalPath(),
    request.canonicalQuery(),
    headers.join(''),
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
}

// @ts-check
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { S3Error } from './s3-error.mjs';

/** @type {Record<string, (body: Buffer) => Buffer>} */
const BY_HEADER = {
  'x-amz-checksum-crc32': (body) => bigEndian(crc32(body)),
  'x-amz-checksum-crc32c': (body) => bigEndian(crc32c(body)),
  'x-amz-checksum-sha1': (body) => createHash('sha1').update(body).digest(),
  'x-amz-checksum-sha256': (body) => createHash('sha256').update(body).digest(),
};

/** @param {string} name */
export function isChecksumHeader(name) {
  return /^x-amz-checksum-(?!algorithm$|type$|mode$)/.test(name);
}

/** Throws unless every given checksum is the body's. @param {Buffer} body @param {Map<string, string>} given by header name */
export function assertChecksums(body, given) {
  for (const [name, expected] of given) {
    const computed = BY_HEADER[name]?.(body);
    if (!computed) throw new S3Error('NotImplemented', `${name} is not implemented`);
    const bytes = Buffer.from(expected, 'base64');
    if (bytes.length !== computed.length) throw new S3Error('InvalidRequest', `Value for ${name} header is invalid.`);
    if (!bytes.equals(computed)) throw new S3Error('BadDigest', `The ${name} you specified did not match the body.`);
  }
}

/** @param {Buffer} body @param {string | undefined} contentMd5 */
export function assertContentMd5(body, contentMd5) {
  if (contentMd5 === undefined) return;
  const expected = Buffer.from(contentMd5, 'base64');
  if (expected.length !== 16) throw new S3Error('InvalidDigest');
  if (!expected.equals(createHash('md5').update(body).digest())) throw new S3Error('BadDigest');
}

/** @param {number} value */
function bigEndian(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

const CASTAGNOLI = Uint32Array.from({ length: 256 }, (_unused, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** @param {Buffer} body */
function crc32c(body) {
  let value = 0xffffffff;
  for (const byte of body) value = (CASTAGNOLI[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

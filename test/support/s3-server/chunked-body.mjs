// @ts-check
import { S3Error } from './s3-error.mjs';
import { sha256, signatureOf } from './signature.mjs';

const SMALLEST_INNER_CHUNK_BYTES = 8192;
const LINE_END = Buffer.from('\r\n');
const EMPTY_HASH = sha256('');

/** @typedef {import('./signature.mjs').SigningChain} SigningChain */

/**
 * Takes an `aws-chunked` body apart and proves the signature of each chunk, and of the trailer, where they are signed.
 * @param {Buffer} raw @param {{ signed: boolean, trailer: boolean, chain: SigningChain }} options
 * @returns {{ body: Buffer, trailers: Map<string, string> }}
 */
export function decodeChunkedBody(raw, { signed, trailer, chain }) {
  const lines = new Lines(raw);
  const chunks = [];
  let previous = chain.signature;
  for (;;) {
    const [size = '', ...extensions] = lines.next().split(';');
    if (!/^[0-9a-f]{1,8}$/i.test(size)) throw new S3Error('IncompleteBody', 'a chunk has no size');
    const chunk = lines.take(Number.parseInt(size, 16));
    if (signed) previous = assertChunkSignature(chain, previous, chunk, extensions);
    if (chunk.length === 0) break;
    assertInnerChunkSize(chunks.at(-1));
    chunks.push(chunk);
    lines.endChunk();
  }
  const trailers = readTrailers(lines, trailer);
  if (signed && trailer) assertTrailerSignature(chain, previous, trailers);
  return { body: Buffer.concat(chunks), trailers };
}

class Lines {
  /** @param {Buffer} raw */
  constructor(raw) {
    this.raw = raw;
    this.at = 0;
  }

  next() {
    const end = this.raw.indexOf(LINE_END, this.at);
    if (end < 0) throw new S3Error('IncompleteBody', 'the body ends inside a chunk');
    const line = this.raw.toString('latin1', this.at, end);
    this.at = end + LINE_END.length;
    return line;
  }

  /** @param {number} length */
  take(length) {
    const bytes = this.raw.subarray(this.at, this.at + length);
    if (bytes.length < length) throw new S3Error('IncompleteBody', 'the body ends inside a chunk');
    this.at += length;
    return bytes;
  }

  endChunk() {
    if (!this.take(LINE_END.length).equals(LINE_END))
      throw new S3Error('IncompleteBody', 'a chunk is longer than it says');
  }
}

/** @param {Buffer | undefined} chunk one that another follows */
function assertInnerChunkSize(chunk) {
  if (chunk && chunk.length < SMALLEST_INNER_CHUNK_BYTES) throw new S3Error('InvalidChunkSizeError');
}

/** @param {SigningChain} chain @param {string} previous @param {Buffer} chunk @param {string[]} extensions */
function assertChunkSignature(chain, previous, chunk, extensions) {
  const expected = signatureOf(chain, 'AWS4-HMAC-SHA256-PAYLOAD', previous, EMPTY_HASH, sha256(chunk));
  if (extensions.join(';') !== `chunk-signature=${expected}`) throw new S3Error('SignatureDoesNotMatch');
  return expected;
}

/** @param {SigningChain} chain @param {string} previous @param {Map<string, string>} trailers */
function assertTrailerSignature(chain, previous, trailers) {
  const signature = trailers.get('x-amz-trailer-signature');
  trailers.delete('x-amz-trailer-signature');
  const canonical = [...trailers].map(([name, value]) => `${name}:${value}\n`).join('');
  const expected = signatureOf(chain, 'AWS4-HMAC-SHA256-TRAILER', previous, sha256(canonical));
  if (signature !== expected) throw new S3Error('SignatureDoesNotMatch');
}

/** @param {Lines} lines @param {boolean} allowed @returns {Map<string, string>} */
function readTrailers(lines, allowed) {
  const trailers = new Map();
  for (let line = lines.next(); line !== ''; line = lines.next()) {
    const [, name, value] = /^([\w-]+):(.*)$/.exec(line) ?? [];
    if (!allowed || !name) throw new S3Error('MalformedTrailerError');
    trailers.set(name.toLowerCase(), value?.trim());
  }
  return trailers;
}

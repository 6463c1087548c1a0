// @ts-check
import { S3Error } from './s3-error.mjs';

const LONGEST_KEY_BYTES = 1024;

/** One request as S3 sees it: bucket, key and query come from the raw target, because `new URL` would fold `..` and `//`. */
export class S3Request {
  /** @param {import('node:http').IncomingMessage} http @param {() => void} sendContinue */
  constructor(http, sendContinue) {
    const [path = '/', ...query] = (http.url ?? '/').split('?');
    this.http = http;
    this.sendContinue = sendContinue;
    this.method = http.method ?? 'GET';
    this.path = path;
    this.query = parseQuery(query.join('?'));
    const [, bucket = '', ...key] = path.split('/').map(decode);
    this.bucket = bucket;
    this.key = key.join('/');
    if (Buffer.byteLength(this.key) > LONGEST_KEY_BYTES) throw new S3Error('KeyTooLongError');
  }

  /** @param {string} name */
  header(name) {
    const value = this.http.headers[name];
    return Array.isArray(value) ? value.join(',') : value;
  }

  /** @param {string} name */
  parameter(name) {
    return this.query.find(([given]) => given === name)?.[1];
  }

  /** A presigned URL may carry any `x-amz-` header in its query instead. @param {string} name */
  amz(name) {
    return this.header(name) ?? this.query.find(([given]) => given.toLowerCase() === name)?.[1];
  }

  canonicalPath() {
    return this.path.split('/').map(decode).map(encode).join('/');
  }

  canonicalQuery() {
    return this.query
      .filter(([name]) => name !== 'X-Amz-Signature')
      .map(([name, value]) => [encode(name), encode(value)])
      .sort(([a = '', x = ''], [b = '', y = '']) => (a === b ? compare(x, y) : compare(a, b)))
      .map((pair) => pair.join('='))
      .join('&');
  }
}

/** @param {string} text @returns {Array<[string, string]>} */
function parseQuery(text) {
  return text
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...value] = pair.split('=');
      return [decode(name), decode(value.join('='))];
    });
}

/** @param {string} text */
export function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error('InvalidArgument', 'the request target is not well-formed');
  }
}

/** @param {string} text */
export function encode(text) {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** @param {string} a @param {string} b */
function compare(a, b) {
  return a < b ? -1 : Number(a > b);
}

import { createHash, randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { request } from 'undici';
import { presign, sha256, signChunks, signHeaders, type RequestToSign } from '../support/s3-server/sign-request.js';
import { startS3Server, type S3Server } from '../support/s3-server/start.js';

const MINUTE_MS = 60_000;
const UNSIGNED_TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
const SIGNED_CHUNKS = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
const SIGNED_TRAILER = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER';

interface Answer {
  status: number;
  code: string | undefined;
  text: string;
}

/** Base64 of the four bytes, as S3 writes it. */
function crc32Of(body: Buffer): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString('base64');
}

function flipBit(bytes: Buffer, at: number): Buffer<ArrayBuffer> {
  const changed = Buffer.from(bytes);
  changed[at]! ^= 1;
  return changed;
}

describe('what the S3 server refuses', () => {
  const body = Buffer.from('the body');
  let s3: S3Server;
  let url: URL;

  beforeAll(async () => {
    s3 = await startS3Server();
  });

  beforeEach(() => {
    url = new URL(`${s3.endpoint}/${s3.bucket}/refusals/${randomUUID()}`);
  });

  afterAll(() => s3.stop());

  async function send(method: string, target: URL, headers?: Record<string, string>, sent?: Buffer): Promise<Answer> {
    const answer = await request(target, { method: method as 'GET', headers, body: sent });
    const text = await answer.body.text();
    return { status: answer.statusCode, code: /<Code>(\w+)<\/Code>/.exec(text)?.[1], text };
  }

  function signed(changes: Partial<RequestToSign> = {}, signer = s3): Record<string, string> {
    return signHeaders(signer, { method: 'GET', url, at: new Date(), payloadHash: sha256(''), ...changes }).headers;
  }

  /** A put of the body, with what is given signed too. */
  function put(headers: Record<string, string>, sent = body, payloadHash = sha256(sent)): Promise<Answer> {
    return send('PUT', url, signed({ method: 'PUT', headers, payloadHash }), sent);
  }

  async function expectAbsent(): Promise<void> {
    expect(await send('GET', url, signed())).toMatchObject({ status: 404, code: 'NoSuchKey' });
  }

  async function expectStored(expected: Buffer): Promise<void> {
    expect(await send('GET', url, signed())).toMatchObject({ status: 200, text: expected.toString() });
  }

  describe('signatures in headers', () => {
    it('takes a right one', async () => {
      expect(await put({})).toMatchObject({ status: 200 });
      await expectStored(body);
    });

    it('refuses a request without one', async () => {
      expect(await send('GET', url)).toMatchObject({ status: 403, code: 'AccessDenied' });
    });

    it('refuses another secret, and an unknown key', async () => {
      const otherSecret = signed({}, { ...s3, secretAccessKey: 'another' });
      expect(await send('GET', url, otherSecret)).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
      const otherKey = signed({}, { ...s3, accessKeyId: 'another' });
      expect(await send('GET', url, otherKey)).toMatchObject({ status: 403, code: 'InvalidAccessKeyId' });
    });

    it('refuses the signature of another region', async () => {
      const elsewhere = signed({}, { ...s3, region: 'eu-central-7' });
      expect(await send('GET', url, elsewhere)).toMatchObject({ status: 400, code: 'AuthorizationHeaderMalformed' });
    });

    it('refuses another method, key, query or signed header than was signed', async () => {
      const refusal = { status: 403, code: 'SignatureDoesNotMatch' };
      expect(await send('DELETE', url, signed())).toMatchObject(refusal);
      expect(await send('GET', new URL(`${url.href}x`), signed())).toMatchObject(refusal);
      expect(await send('GET', new URL(`${url.href}?x-id=GetObject`), signed())).toMatchObject(refusal);
      const ranged = signed({ headers: { range: 'bytes=0-1' } });
      expect(await send('GET', url, { ...ranged, range: 'bytes=0-2' })).toMatchObject(refusal);
    });

    it('refuses another body than was signed, and stores nothing', async () => {
      const headers = signed({ method: 'PUT', payloadHash: sha256(body) });
      const answer = await send('PUT', url, headers, flipBit(body, 3));
      expect(answer).toMatchObject({ status: 400, code: 'XAmzContentSHA256Mismatch' });
      await expectAbsent();
    });

    it('refuses an x-amz header that was added afterwards', async () => {
      const answer = await send('GET', url, { ...signed(), 'x-amz-meta-added': 'x' });
      expect(answer).toMatchObject({ status: 403, code: 'AccessDenied' });
    });

    it.each([-16, 16])('refuses a clock that is %d minutes off', async (minutes) => {
      const at = new Date(Date.now() + minutes * MINUTE_MS);
      expect(await send('GET', url, signed({ at }))).toMatchObject({ status: 403, code: 'RequestTimeTooSkewed' });
    });

    it.each([-14, 14])('takes a clock that is %d minutes off', async (minutes) => {
      const at = new Date(Date.now() + minutes * MINUTE_MS);
      expect(await send('GET', url, signed({ at }))).toMatchObject({ code: 'NoSuchKey' });
    });
  });

  describe('presigned URLs', () => {
    it('takes a right one, to put and to get', async () => {
      expect(await send('PUT', presign(s3, 'PUT', url, new Date(), 60), {}, body)).toMatchObject({ status: 200 });
      expect(await send('GET', presign(s3, 'GET', url, new Date(), 60))).toMatchObject({ text: body.toString() });
    });

    it('refuses one after its time', async () => {
      const late = presign(s3, 'GET', url, new Date(Date.now() - 61_000), 60);
      expect(await send('GET', late)).toMatchObject({ status: 403, code: 'AccessDenied' });
    });

    it('refuses one for another method or key, and one whose time was stretched', async () => {
      const refusal = { status: 403, code: 'SignatureDoesNotMatch' };
      const given = presign(s3, 'GET', url, new Date(), 60);
      expect(await send('PUT', given, {}, body)).toMatchObject(refusal);
      const otherKey = new URL(given);
      otherKey.pathname += 'x';
      expect(await send('GET', otherKey)).toMatchObject(refusal);
      const stretched = new URL(given);
      stretched.searchParams.set('X-Amz-Expires', '6000');
      expect(await send('GET', stretched)).toMatchObject(refusal);
    });

    it('refuses one that is valid for more than seven days', async () => {
      const eternal = presign(s3, 'GET', url, new Date(), 7 * 24 * 3600 + 1);
      expect(await send('GET', eternal)).toMatchObject({ status: 400, code: 'AuthorizationQueryParametersError' });
    });

    it('holds the body to a checksum in the URL', async () => {
      url.searchParams.set('x-amz-checksum-crc32', crc32Of(body));
      const given = presign(s3, 'PUT', url, new Date(), 60);
      expect(await send('PUT', given, {}, flipBit(body, 3))).toMatchObject({ status: 400, code: 'BadDigest' });
      expect(await send('PUT', given, {}, body)).toMatchObject({ status: 200 });
    });
  });

  describe('checksums', () => {
    it.each([
      ['content-md5', createHash('md5').update(body).digest('base64')],
      ['x-amz-checksum-crc32', crc32Of(body)],
      ['x-amz-checksum-sha256', createHash('sha256').update(body).digest('base64')],
    ])('holds the body to its %s', async (header, right) => {
      const otherBody = flipBit(body, 3);
      expect(await put({ [header]: right }, otherBody)).toMatchObject({ status: 400, code: 'BadDigest' });
      await expectAbsent();
      expect(await put({ [header]: right })).toMatchObject({ status: 200 });
    });

    it('refuses what is no checksum', async () => {
      expect(await put({ 'content-md5': 'abc' })).toMatchObject({ status: 400, code: 'InvalidDigest' });
      expect(await put({ 'x-amz-checksum-crc32': 'abc' })).toMatchObject({ status: 400, code: 'InvalidRequest' });
      await expectAbsent();
    });
  });

  describe('bodies in chunks', () => {
    const chunks = [Buffer.alloc(9_000, 'a'), Buffer.alloc(1_000, 'b')];
    const whole = Buffer.concat(chunks);

    function putChunked(
      payloadHash: string,
      encode: (at: Date, seed: string) => Buffer,
      trailer?: string,
    ): Promise<Answer> {
      const at = new Date();
      const headers: Record<string, string> = {
        'content-encoding': 'aws-chunked',
        'x-amz-decoded-content-length': String(whole.length),
      };
      if (trailer) headers['x-amz-trailer'] = trailer;
      const { headers: all, signature } = signHeaders(s3, { method: 'PUT', url, at, headers, payloadHash });
      return send('PUT', url, all, encode(at, signature));
    }

    function unsignedChunks(checksum: string): Buffer {
      const parts = chunks.flatMap((chunk) => [
        Buffer.from(`${chunk.length.toString(16)}\r\n`),
        chunk,
        Buffer.from('\r\n'),
      ]);
      return Buffer.concat([...parts, Buffer.from(`0\r\nx-amz-checksum-crc32:${checksum}\r\n\r\n`)]);
    }

    it('takes signed chunks', async () => {
      const answer = await putChunked(SIGNED_CHUNKS, (at, seed) => signChunks(s3, at, seed, chunks));
      expect(answer).toMatchObject({ status: 200 });
      await expectStored(whole);
    });

    it('refuses a changed chunk', async () => {
      const answer = await putChunked(SIGNED_CHUNKS, (at, seed) => flipBit(signChunks(s3, at, seed, chunks), 5_000));
      expect(answer).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
      await expectAbsent();
    });

    it('refuses chunks in another order', async () => {
      const turned = (at: Date, seed: string): Buffer => {
        const [first, second] = [signChunks(s3, at, seed, [chunks[0]!]), signChunks(s3, at, seed, chunks)];
        const firstBytes = first.length - '0;chunk-signature='.length - 64 - 4;
        return Buffer.concat([second.subarray(firstBytes), second.subarray(0, firstBytes)]);
      };
      expect(await putChunked(SIGNED_CHUNKS, turned)).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
      await expectAbsent();
    });

    it('refuses chunks that end early', async () => {
      const answer = await putChunked(SIGNED_CHUNKS, (at, seed) => signChunks(s3, at, seed, chunks.slice(0, 1)));
      expect(answer).toMatchObject({ status: 400, code: 'IncompleteBody' });
      await expectAbsent();
    });

    it('takes signed chunks with a signed checksum behind them, and refuses a changed one', async () => {
      const name = 'x-amz-checksum-crc32';
      const encode = (at: Date, seed: string): Buffer => signChunks(s3, at, seed, chunks, [name, crc32Of(whole)]);
      const changed = (at: Date, seed: string): Buffer => {
        const encoded = encode(at, seed);
        return flipBit(encoded, encoded.length - 5);
      };
      const answer = await putChunked(SIGNED_TRAILER, changed, name);
      expect(answer).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
      await expectAbsent();
      expect(await putChunked(SIGNED_TRAILER, encode, name)).toMatchObject({ status: 200 });
      await expectStored(whole);
    });

    it('refuses signed chunks with a wrong checksum behind them', async () => {
      const name = 'x-amz-checksum-crc32';
      const wrong = (at: Date, seed: string): Buffer => signChunks(s3, at, seed, chunks, [name, crc32Of(body)]);
      expect(await putChunked(SIGNED_TRAILER, wrong, name)).toMatchObject({ status: 400, code: 'BadDigest' });
      await expectAbsent();
    });

    it('takes unsigned chunks with a checksum behind them, and refuses a wrong or missing one', async () => {
      const name = 'x-amz-checksum-crc32';
      const wrong = await putChunked(UNSIGNED_TRAILER, () => unsignedChunks(crc32Of(body)), name);
      expect(wrong).toMatchObject({ status: 400, code: 'BadDigest' });
      const missing = await putChunked(UNSIGNED_TRAILER, () => unsignedChunks(crc32Of(whole)), 'x-amz-checksum-sha256');
      expect(missing).toMatchObject({ status: 400, code: 'MalformedTrailerError' });
      await expectAbsent();
      const right = await putChunked(UNSIGNED_TRAILER, () => unsignedChunks(crc32Of(whole)), name);
      expect(right).toMatchObject({ status: 200 });
      await expectStored(whole);
    });

    it('refuses a small chunk that another follows', async () => {
      const small = [...chunks].reverse();
      const answer = await putChunked(SIGNED_CHUNKS, (at, seed) => signChunks(s3, at, seed, small));
      expect(answer).toMatchObject({ code: 'InvalidChunkSizeError' });
      await expectAbsent();
    });
  });
});

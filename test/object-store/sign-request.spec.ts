import { presign, sha256, signChunks, signHeaders, type Signer } from '../support/s3-server/sign-request.js';

// The worked examples of the Amazon S3 API reference, "Authenticating Requests"; they keep signer and server honest.
const signer: Signer = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
};
const at = new Date('2013-05-24T00:00:00Z');
const chunks = [Buffer.alloc(65_536, 'a'), Buffer.alloc(1_024, 'a')];
const chunkedHeaders = {
  'content-encoding': 'aws-chunked',
  'x-amz-decoded-content-length': '66560',
  'x-amz-storage-class': 'REDUCED_REDUNDANCY',
};

function chunkedUpload(payloadHash: string, headers: Record<string, string>): string {
  const url = new URL('https://s3.amazonaws.com/examplebucket/chunkObject.txt');
  return signHeaders(signer, { method: 'PUT', url, at, payloadHash, headers: { ...chunkedHeaders, ...headers } })
    .signature;
}

function signaturesIn(body: Buffer): string[] {
  return [...body.toString('latin1').matchAll(/signature[=:]([0-9a-f]{64})/g)].map((match) => match[1]!);
}

describe('the request signer of the tests', () => {
  it('signs headers as the published example', () => {
    const url = new URL('https://examplebucket.s3.amazonaws.com/test.txt');
    const signed = signHeaders(signer, {
      method: 'GET',
      url,
      at,
      headers: { range: 'bytes=0-9' },
      payloadHash: sha256(''),
    });
    expect(signed.signature).toBe('f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41');
  });

  it('presigns as the published example', () => {
    const url = presign(signer, 'GET', new URL('https://examplebucket.s3.amazonaws.com/test.txt'), at, 86_400);
    expect(url.searchParams.get('X-Amz-Signature')).toBe(
      'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
    );
  });

  it('signs chunks as the published example', () => {
    const seed = chunkedUpload('STREAMING-AWS4-HMAC-SHA256-PAYLOAD', { 'content-length': '66824' });
    expect(seed).toBe('4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9');
    expect(signaturesIn(signChunks(signer, at, seed, chunks))).toEqual([
      'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
      '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
      'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
    ]);
  });

  it('signs chunks and a trailer as the published example', () => {
    const seed = '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e';
    const trailer: [string, string] = ['x-amz-checksum-crc32c', 'sOO8/Q=='];
    expect(signaturesIn(signChunks(signer, at, seed, chunks, trailer))).toEqual([
      'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
      '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
      '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
      'd81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435',
    ]);
  });
});

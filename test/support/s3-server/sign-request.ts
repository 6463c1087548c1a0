import { createHash, createHmac } from 'node:crypto';

export interface Signer {
  accessKeyId: string;
  secretAccessKey: string;
  region: string;
}

export interface RequestToSign {
  method: string;
  url: URL;
  at: Date;
  headers?: Record<string, string>;
  payloadHash: string;
}

export interface SignedRequest {
  headers: Record<string, string>;
  signature: string;
}

export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Version 4, in the Authorization header; every header given is signed. Written apart from the server, to check it. */
export function signHeaders(signer: Signer, request: RequestToSign): SignedRequest {
  const headers: Record<string, string> = {
    ...request.headers,
    host: request.url.host,
    'x-amz-content-sha256': request.payloadHash,
    'x-amz-date': timestampOf(request.at),
  };
  const names = Object.keys(headers).sort();
  const canonical = [
    request.method,
    request.url.pathname,
    canonicalQuery(request.url),
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    request.payloadHash,
  ].join('\n');
  const signature = sign(signer, request.at, 'AWS4-HMAC-SHA256', sha256(canonical));
  const credential = `${signer.accessKeyId}/${scopeOf(signer, request.at)}`;
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { headers, signature };
}

/** The same signature in the query, so that a browser or `curl` needs no key. */
export function presign(signer: Signer, method: string, url: URL, at: Date, expiresSeconds: number): URL {
  const signed = new URL(url);
  signed.searchParams.set('X-Amz-Algorithm', 'AWS4-HMAC-SHA256');
  signed.searchParams.set('X-Amz-Credential', `${signer.accessKeyId}/${scopeOf(signer, at)}`);
  signed.searchParams.set('X-Amz-Date', timestampOf(at));
  signed.searchParams.set('X-Amz-Expires', String(expiresSeconds));
  signed.searchParams.set('X-Amz-SignedHeaders', 'host');
  const canonical = [method, url.pathname, canonicalQuery(signed), `host:${url.host}`, '', 'host', 'UNSIGNED-PAYLOAD'];
  signed.searchParams.set('X-Amz-Signature', sign(signer, at, 'AWS4-HMAC-SHA256', sha256(canonical.join('\n'))));
  return signed;
}

/** The `aws-chunked` form of a body: each chunk signed on top of the one before, the first on top of the request. */
export function signChunks(
  signer: Signer,
  at: Date,
  seed: string,
  chunks: Buffer[],
  trailer?: [string, string],
): Buffer {
  let previous = seed;
  const encoded: Buffer[] = [];
  for (const chunk of [...chunks, Buffer.alloc(0)]) {
    previous = sign(signer, at, 'AWS4-HMAC-SHA256-PAYLOAD', previous, sha256(''), sha256(chunk));
    encoded.push(Buffer.from(`${chunk.length.toString(16)};chunk-signature=${previous}\r\n`), chunk);
    if (chunk.length > 0) encoded.push(Buffer.from('\r\n'));
  }
  if (trailer) {
    const [name, value] = trailer;
    const signature = sign(signer, at, 'AWS4-HMAC-SHA256-TRAILER', previous, sha256(`${name}:${value}\n`));
    encoded.push(Buffer.from(`${name}:${value}\r\nx-amz-trailer-signature:${signature}\r\n`));
  }
  return Buffer.concat([...encoded, Buffer.from('\r\n')]);
}

function sign(signer: Signer, at: Date, algorithm: string, ...hashes: string[]): string {
  const text = [algorithm, timestampOf(at), scopeOf(signer, at), ...hashes].join('\n');
  const parts = [timestampOf(at).slice(0, 8), signer.region, 's3', 'aws4_request', text];
  let key = Buffer.from(`AWS4${signer.secretAccessKey}`);
  for (const part of parts) key = createHmac('sha256', key).update(part).digest();
  return key.toString('hex');
}

function canonicalQuery(url: URL): string {
  return [...url.searchParams]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort()
    .join('&');
}

function scopeOf(signer: Signer, at: Date): string {
  return `${timestampOf(at).slice(0, 8)}/${signer.region}/s3/aws4_request`;
}

function timestampOf(at: Date): string {
  return at.toISOString().replace(/[-:]|\.\d{3}/g, '');
}

import { readFileSync } from 'node:fs';
import net, { type AddressInfo, type Socket } from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { gzipSync } from 'node:zlib';

/** What the product has to make of an endpoint. */
export interface HostileEndpoint {
  what: string;
  /** What `error_tag` may be; 'delivered' where it counts as taken. */
  comesTo: readonly string[];
  /** Serves one connection. */
  serve: (socket: Socket) => void;
  /** Over TLS with these. */
  tls?: tls.TlsOptions;
  /** Instead of the address. */
  host?: string;
  attempts?: number;
  excerpt?: RegExp;
}

const CERTIFICATES = path.resolve('test/faults/support/certificates');

export function certificateFile(name: string): string {
  return path.join(CERTIFICATES, `${name}.pem`);
}

function certified(name: string, more: tls.TlsOptions = {}): tls.TlsOptions {
  return { key: readFileSync(certificateFile('key')), cert: readFileSync(certificateFile(name)), ...more };
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

function answering(text: string | Buffer): (socket: Socket) => void {
  return (socket) => socket.on('data', () => socket.write(text));
}

function failing(body: string | Buffer, headers = ''): (socket: Socket) => void {
  const bytes = Buffer.from(body);
  const head = `HTTP/1.1 500 No\r\n${headers}content-length: ${bytes.length}\r\n\r\n`;
  return answering(Buffer.concat([Buffer.from(head), bytes]));
}

/** One piece after the other, for ever. */
function dripping(first: string, piece: string, everyMs: number): (socket: Socket) => void {
  return (socket) => {
    socket.once('data', () => {
      socket.write(first);
      const timer = setInterval(() => socket.write(piece), everyMs);
      socket.on('close', () => clearInterval(timer));
    });
  };
}

/** As fast as it is taken, for ever. */
function flooding(first: string, piece: string): (socket: Socket) => void {
  return (socket) => {
    const pour = (): void => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.once('data', () => {
      socket.write(first);
      pour();
    });
    socket.on('drain', pour);
  };
}

const CHUNK = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
const CHUNKED = 'transfer-encoding: chunked\r\n\r\n';

/** The list of docs/faults.md, F10. Where two tags may be, it is a race of the kernel that decides. */
export const HOSTILE_ENDPOINTS: readonly HostileEndpoint[] = [
  { what: 'takes the call and never answers', comesTo: ['timeout'], serve: (socket) => socket.resume() },
  { what: 'does not even read', comesTo: ['timeout'], serve: (socket) => socket.pause() },
  { what: 'sends its headers byte by byte', comesTo: ['timeout'], serve: dripping('HTTP/1.1 200 OK\r\nx: ', 'x', 50) },
  {
    what: 'sends its body byte by byte',
    comesTo: ['timeout'],
    serve: dripping('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n', 'x', 50),
  },
  {
    what: 'never ends its body, and says 200',
    comesTo: ['delivered'],
    serve: flooding(`HTTP/1.1 200 OK\r\n${CHUNKED}`, CHUNK),
  },
  {
    what: 'never ends its body, and says 500',
    comesTo: ['http_500'],
    serve: flooding(`HTTP/1.1 500 No\r\n${CHUNKED}`, CHUNK),
    excerpt: /^x{2048}$/,
  },
  {
    what: 'sends 100 kB of headers',
    comesTo: ['answer_header_too_large'],
    serve: answering(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`),
  },
  {
    what: 'sends headers without end',
    comesTo: ['answer_header_too_large'],
    serve: flooding('HTTP/1.1 200 OK\r\n', `x: ${'x'.repeat(4_000)}\r\n`),
  },
  {
    what: 'sends a gzip bomb',
    comesTo: ['http_500'],
    serve: failing(gzipSync(Buffer.alloc(50_000_000)), 'content-encoding: gzip\r\n'),
  },
  {
    what: 'redirects to a forbidden address',
    comesTo: ['redirect_refused'],
    serve: answering('HTTP/1.1 302 Found\r\nlocation: http://127.1.0.1/\r\ncontent-length: 0\r\n\r\n'),
  },
  {
    what: 'redirects to the metadata service',
    comesTo: ['redirect_refused'],
    serve: answering('HTTP/1.1 307 There\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\n\r\n'),
  },
  {
    what: 'says 100 Continue for ever',
    comesTo: ['connection_lost', 'answer_malformed', 'timeout'],
    serve: flooding('', 'HTTP/1.1 100 Continue\r\n\r\n'),
  },
  {
    what: 'says 102 Processing for ever',
    comesTo: ['connection_lost', 'timeout'],
    serve: dripping('', 'HTTP/1.1 102 Processing\r\n\r\n', 5),
  },
  {
    what: 'resets after reading',
    comesTo: ['connection_lost'],
    serve: (socket) => socket.once('data', () => socket.resetAndDestroy()),
  },
  {
    what: 'resets after answering',
    comesTo: ['delivered', 'connection_lost'],
    serve: (socket) => socket.once('data', () => socket.write(OK, () => socket.resetAndDestroy())),
  },
  {
    what: 'closes its half without an answer',
    comesTo: ['connection_lost'],
    serve: (socket) => socket.once('data', () => socket.end()),
  },
  {
    what: 'closes in the middle of its body',
    comesTo: ['connection_lost'],
    serve: (socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf')),
  },
  {
    what: 'sends a malformed chunk',
    comesTo: ['answer_malformed'],
    serve: answering(`HTTP/1.1 200 OK\r\n${CHUNKED}zz\r\nnonsense\r\n`),
  },
  { what: 'answers as HTTP/0.9 would', comesTo: ['answer_malformed'], serve: answering('<html>hello</html>\r\n') },
  {
    what: 'sends two lengths',
    comesTo: ['answer_malformed'],
    serve: answering('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 5\r\n\r\nok'),
  },
  {
    what: 'sets a cookie',
    comesTo: ['delivered'],
    serve: answering('HTTP/1.1 200 OK\r\nset-cookie: id=1\r\ncontent-length: 2\r\n\r\nok'),
  },
  {
    what: 'says 204 and sends a body', // which is taken for the answer to the next call on that connection
    comesTo: ['delivered', 'answer_malformed'],
    serve: answering('HTTP/1.1 204 None\r\ncontent-length: 5\r\n\r\nhello'),
  },
  {
    what: 'answers with what terminals and databases trip over',
    comesTo: ['http_500'],
    serve: failing(Buffer.from('\u001b[31mred\u001b[0m \u0000nul \u202eturned \xff\xfe\ud800', 'latin1')),
    excerpt: /^red nul /,
  },
  {
    what: 'shows a certificate that it signed itself',
    comesTo: ['tls_refused'],
    serve: answering(OK),
    tls: certified('self'),
  },
  {
    what: 'shows a certificate that has expired',
    comesTo: ['tls_refused'],
    serve: answering(OK),
    tls: certified('expired'),
  },
  {
    what: 'shows the certificate of somebody else',
    comesTo: ['tls_refused'],
    serve: answering(OK),
    tls: certified('other'),
  },
  {
    what: 'speaks TLS 1.1 at most',
    comesTo: ['tls_refused', 'connection_lost'],
    serve: answering(OK),
    tls: certified('good', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
  },
  {
    what: 'takes the connection and never says hello (TLS)',
    comesTo: ['timeout'],
    serve: (socket) => socket.resume(),
    tls: {},
  },
  { what: 'shows a good certificate', comesTo: ['delivered'], serve: answering(OK), tls: certified('good') },
  {
    what: 'has a name that leads elsewhere the second time',
    comesTo: ['address_not_allowed'],
    serve: answering('HTTP/1.1 500 No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'),
    host: 'flip.hostile.test',
    attempts: 2,
  },
  {
    what: 'has a name with a public and an internal address',
    comesTo: ['address_not_allowed'],
    serve: answering(OK),
    tls: certified('good'),
    host: 'mixed.hostile.test',
  },
];

export interface RunningEndpoint extends HostileEndpoint {
  url: string;
  /** What callers sent, all of it. */
  heard: string[];
  close: () => void;
}

export async function runEndpoint(endpoint: HostileEndpoint): Promise<RunningEndpoint> {
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const serve = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    if (endpoint.comesTo[0] === 'delivered') socket.on('data', (bytes: Buffer) => heard.push(bytes.toString('latin1')));
    endpoint.serve(socket);
  };
  const isTls = endpoint.tls !== undefined;
  const server = endpoint.tls?.cert
    ? tls.createServer(endpoint.tls, serve)
    : net.createServer({ allowHalfOpen: true }, serve);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { ...endpoint, heard, close, url: `http${isTls ? 's' : ''}://${endpoint.host ?? '127.0.0.1'}:${port}` };
}

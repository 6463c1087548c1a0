// @ts-check
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Faults, FAULTS_PATH } from './faults.mjs';
import { readBody } from './request-body.mjs';
import { operationFor } from './routes.mjs';
import { S3Error } from './s3-error.mjs';
import { S3Request } from './s3-request.mjs';
import { authenticate } from './signature.mjs';
import { Buckets } from './stored.mjs';

/**
 * @typedef {import('node:http').IncomingMessage} IncomingMessage
 * @typedef {import('node:http').ServerResponse} ServerResponse
 * @typedef {import('./objects.mjs').Answer} Answer
 * @typedef {import('./signature.mjs').Account & { bucket: string, faultsToken: string }} ServerOptions
 */

/** @type {ServerOptions} */
const options = JSON.parse(process.argv[2] ?? '{}');
const buckets = new Buckets();
buckets.create(options.bucket);
const faults = new Faults(options.faultsToken);

const server = createServer((http, response) => void serve(http, response, () => undefined));
// The body is asked for only after the signature was found right, as S3 does.
server.on('checkContinue', (http, response) => void serve(http, response, () => response.writeContinue()));
// Longer than any test pauses, so that no client meets a connection that is just being closed.
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(JSON.stringify({ port: typeof address === 'object' ? address?.port : address }));
});
// The pipe closes with the process that started this one, however that ends, so no server is left behind.
process.stdin.on('close', () => process.exit(0)).resume();

/** @param {IncomingMessage} http @param {ServerResponse} response @param {() => void} sendContinue */
async function serve(http, response, sendContinue) {
  const requestId = randomUUID();
  response.setHeader('x-amz-request-id', requestId);
  try {
    if (http.url === FAULTS_PATH) {
      sendContinue();
      response.end(await faults.control(http));
      return;
    }
    const answer = await answerTo(http, sendContinue);
    if (faults.takeLossOfAnswer()) response.destroy();
    else send(http, response, answer);
  } catch (error) {
    if (!(error instanceof S3Error)) console.error(error);
    const refusal = error instanceof S3Error ? error : new S3Error('InternalError');
    refuse(http, response, refusal, requestId);
  }
}

/** @param {IncomingMessage} http @param {() => void} sendContinue @returns {Promise<Answer>} */
async function answerTo(http, sendContinue) {
  await faults.beforeRequest();
  const request = new S3Request(http, sendContinue);
  const authentication = authenticate(request, options);
  const operation = operationFor(request);
  const body = await readBody(request, authentication, faults.state.keepCutBodies);
  return operation({ request, buckets, body });
}

/** @param {IncomingMessage} http @param {ServerResponse} response @param {Answer} answer */
function send(http, response, { status, headers = {}, xml, bytes }) {
  const body = xml === undefined ? (bytes ?? Buffer.alloc(0)) : Buffer.from(xml);
  const type = xml === undefined ? {} : { 'content-type': 'application/xml' };
  const length = status === 204 || status === 304 ? {} : { 'content-length': String(body.length) };
  response.writeHead(status, { ...headers, ...type, ...length });
  const broken = http.method === 'GET' && bytes ? faults.takeBreakOfGet() : null;
  if (!broken) {
    response.end(http.method === 'HEAD' ? undefined : body);
    return;
  }
  response.write(body.subarray(0, body.length / 2), () => {
    if (broken === 'close') response.destroy();
  });
}

/** @param {IncomingMessage} http @param {ServerResponse} response @param {S3Error} error @param {string} requestId */
function refuse(http, response, error, requestId) {
  // A body that was never asked for, or is still coming, would be taken for the next request.
  if (!http.complete) response.setHeader('connection', 'close');
  http.resume();
  const body = Buffer.from(http.method === 'HEAD' ? '' : error.toXml(http.url ?? '', requestId));
  response.writeHead(error.status, { 'content-type': 'application/xml', 'content-length': String(body.length) });
  response.end(body);
}

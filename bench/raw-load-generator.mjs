// Calls as fast as they are answered, over raw sockets, with the options on stdin; what came of it goes to stdout. It shares two
// cores with what it measures, so it writes ids and times into bytes that are ready and looks no further into an answer than it must.
import { randomInt } from 'node:crypto';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { eventsOfSize, eventTemplate, writeId, writeTime } from './events.mjs';
import { percentile } from './report.mjs';

const ANSWERED_WITHIN_MS = 30_000;
const HEAD_END = Buffer.from('\r\n\r\n');
const LENGTH = 'content-length: ';

const salt = randomInt(2 ** 31);
let numbered = 0;
/** `targets` are headers of organisations; `events` (a call) and `eventBytes`, or the `bodies` to send one after the other. */
async function run({ port, operation, targets, connections, seconds, expect, ...content }) {
  const bodies = content.bodies ?? publishBodies(content);
  const requests = targets.flatMap((headers) => bodies.map((body) => requestOf(operation, headers, body)));
  const latencies = [];
  const clients = Array.from({ length: connections }, () => new Client(requests, expect, latencies));
  await Promise.all(clients.map((client) => client.connect(port)));
  const begun = performance.now();
  const ended = clients.map((client) => client.callUntil(begun + seconds * 1000));
  const late = new Promise((_, reject) => {
    setTimeout(reject, seconds * 1000 + ANSWERED_WITHIN_MS, new Error('an answer did not come')).unref();
  });
  await Promise.race([Promise.all(ended), late]);
  return { calls: latencies.length, wallSeconds: (performance.now() - begun) / 1000, ...percentiles(latencies) };
}

/** Each with another event first, so that a call of one event is of every type in turn. */
function publishBodies({ events, eventBytes }) {
  const kinds = eventsOfSize(eventBytes).map((event) => JSON.stringify(event));
  return kinds.map((_, first) => {
    const list = Array.from({ length: events }, (_, i) => kinds[(first + i) % kinds.length]);
    return `{"events":[${list.join(',')}]}`;
  });
}

function requestOf(operation, headers, body) {
  const all = { host: '127.0.0.1', connection: 'keep-alive', 'content-length': Buffer.byteLength(body), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return eventTemplate(`POST /ipm/${operation} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
}

function percentiles(latencies) {
  const at = (share) => percentile(latencies, share);
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
}

/** One connection, one call after the other. */
class Client {
  #requests;
  #expected;
  #latencies;
  #socket;
  #missing = 0;
  #sentAt = 0;
  #untilMs = 0;
  #settle;

  constructor(requests, expected, latencies) {
    // Bytes of its own: they are written anew for the next call, and only the answer says that they are out.
    this.#requests = requests.map((request) => ({ ...request, bytes: Buffer.from(request.bytes) }));
    this.#expected = Buffer.from(expected);
    this.#latencies = latencies;
  }

  connect(port) {
    return new Promise((resolve, reject) => {
      this.#socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
      this.#socket.on('data', (chunk) => this.#take(chunk));
      this.#socket.on('error', (error) => this.#end(error) ?? reject(error));
      this.#socket.on('close', () => this.#end(new Error('the server ended the connection')));
      this.#socket.once('connect', resolve);
    });
  }

  callUntil(ms) {
    this.#untilMs = ms;
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#call();
    });
  }

  #call() {
    const { bytes, idsAt, timesAt } = this.#requests[Math.floor(Math.random() * this.#requests.length)];
    const now = Date.now();
    for (const at of idsAt) writeId(bytes, at, (numbered += 1), salt);
    for (const at of timesAt) writeTime(bytes, at, now);
    this.#sentAt = performance.now();
    this.#socket.write(bytes);
  }

  #take(chunk) {
    this.#missing = this.#missing === 0 ? this.#missingAfterHead(chunk) : this.#missing - chunk.length;
    if (this.#missing > 0) return;
    const now = performance.now();
    this.#latencies.push(now - this.#sentAt);
    if (now < this.#untilMs) this.#call();
    else this.#end();
  }

  /** The server writes a head in one piece, and with it the beginning of the body, which says whether it is well. */
  #missingAfterHead(chunk) {
    const headEnd = chunk.indexOf(HEAD_END);
    const lengthAt = chunk.indexOf(LENGTH);
    const length = Number.parseInt(chunk.latin1Slice(lengthAt + LENGTH.length, lengthAt + LENGTH.length + 12), 10);
    const isWell = chunk.latin1Slice(9, 12) === '200' && chunk.includes(this.#expected, headEnd);
    if (isWell && lengthAt > 0 && lengthAt < headEnd) return headEnd + HEAD_END.length + length - chunk.length;
    this.#end(new Error(`answered otherwise: ${chunk.latin1Slice(0, 1_000)}`));
    return 1;
  }

  #end(error) {
    if (!this.#settle) return undefined;
    this.#socket.destroy();
    return error ? this.#settle.reject(error) : this.#settle.resolve();
  }
}

const load = JSON.parse(await text(process.stdin));
const cpuBefore = process.cpuUsage();
const outcome = await run(load);
const { user, system } = process.cpuUsage(cpuBefore);
process.stdout.write(JSON.stringify({ ...outcome, cpuSeconds: (user + system) / 1e6 }));
process.exit();

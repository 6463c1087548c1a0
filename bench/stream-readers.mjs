// Reads cdc/stream over many raw sockets and publishes one event a call at a fixed rate, in one process, so that one clock tells how
// late an event is there. Options on stdin, what came of it on stdout.
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventsOfSize } from './events.mjs';

const DIGITS = 10;
const MARK = Buffer.from('data: {"event_id":"s-');
const MARK_BYTES = MARK.length + DIGITS;
/** An event is longer than this: no need to look for the next one before. */
const LEAST_EVENT_BYTES = 400;
const SLOT_MS = 0.1;
const SLOTS = 300_000;
const ALL_THERE_WITHIN_MS = 15_000;
const PUBLISHING_CONNECTIONS = 16;

/** How late events were, to a tenth of a millisecond; the last slot holds what was later. */
class Lateness {
  #slots = new Uint32Array(SLOTS);
  count = 0;

  add(ms) {
    this.#slots[Math.min(SLOTS - 1, Math.floor(ms / SLOT_MS))] += 1;
    this.count += 1;
  }

  at(share) {
    const rank = share * this.count;
    let passed = 0;
    const slot = this.#slots.findIndex((count) => (passed += count) > rank);
    return slot * SLOT_MS;
  }
}

/** All readers must see the same events in the same order: that of whoever is first to see an event in its place. */
class Reader {
  received = 0;
  outOfOrder = 0;
  isOpen = false;
  #last = new Uint8Array(0);

  constructor({ sentAt, order, lateness }) {
    Object.assign(this, { sentAt, order, lateness });
  }

  open(port, headers) {
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return new Promise((resolve, reject) => {
      this.socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
      this.socket.once('connect', () =>
        this.socket.write(`GET /ipm/cdc/stream?service=stream HTTP/1.1\r\nhost: 127.0.0.1\r\n${head.join('')}\r\n`),
      );
      this.socket.on('error', reject);
      this.socket.on('close', () => reject(new Error('the server ended a stream')));
      this.socket.on('data', (chunk) => {
        if (!this.isOpen) this.#greet(chunk, resolve, reject);
        else this.#take(chunk);
      });
    });
  }

  #greet(chunk, resolve, reject) {
    this.isOpen = true;
    const status = chunk.latin1Slice(9, 12);
    if (status === '200') resolve();
    else reject(new Error(`answered ${status}: ${chunk.latin1Slice(0, 1_000)}`));
  }

  #take(chunk) {
    const now = performance.now();
    // A mark may lie over the border of two chunks.
    const border = Buffer.concat([this.#last, chunk.subarray(0, MARK_BYTES - 1)]);
    this.#takeIn(border, now);
    this.#takeIn(chunk, now);
    this.#last = Buffer.from(
      chunk.length >= MARK_BYTES - 1 ? chunk.subarray(1 - MARK_BYTES) : border.subarray(1 - MARK_BYTES),
    );
  }

  #takeIn(bytes, now) {
    for (let at = bytes.indexOf(MARK); at !== -1; at = bytes.indexOf(MARK, at + LEAST_EVENT_BYTES)) {
      if (at + MARK_BYTES > bytes.length) return;
      const number = Number(bytes.latin1Slice(at + MARK.length, at + MARK_BYTES));
      this.order[this.received] ??= number;
      if (this.order[this.received] !== number) this.outOfOrder += 1;
      this.received += 1;
      this.lateness.add(now - this.sentAt[number]);
    }
  }
}

async function run({ port, headers, readers, rate, seconds, eventBytes }) {
  const seen = { sentAt: [], order: [], lateness: new Lateness() };
  const { sentAt, order, lateness } = seen;
  const all = Array.from({ length: readers }, () => new Reader(seen));
  for (const reader of all) await reader.open(port, headers);
  await sleep(500);
  const begun = performance.now();
  const published = await publishAtRate({ port, headers, rate, seconds, eventBytes }, sentAt);
  const publishingSeconds = (performance.now() - begun) / 1000;
  const deadline = performance.now() + ALL_THERE_WITHIN_MS;
  const isMissing = () => all.some(({ received }) => received < published);
  while (isMissing() && performance.now() < deadline) await sleep(5);
  const wallSeconds = (performance.now() - begun) / 1000;
  return {
    published,
    publishedPerSecond: published / publishingSeconds,
    deliveredPerSecond: lateness.count / wallSeconds,
    missing:
      all.reduce((sum, { received }) => sum + Math.max(0, published - received), 0) + published - new Set(order).size,
    outOfOrder: all.reduce((sum, reader) => sum + reader.outOfOrder, 0),
    p50Ms: lateness.at(0.5),
    p99Ms: lateness.at(0.99),
    wallSeconds,
  };
}

/** When the time comes, whether earlier calls were answered or not, as long as a connection is free. */
async function publishAtRate({ port, headers, rate, seconds, eventBytes }, sentAt) {
  const [, event] = eventsOfSize(eventBytes);
  const publishers = Array.from({ length: PUBLISHING_CONNECTIONS }, () => new Publisher(port, headers, event));
  await Promise.all(publishers.map((publisher) => publisher.open()));
  const begun = performance.now();
  const total = Math.floor(rate * seconds);
  const pending = [];
  for (let number = 0; number < total; number += 1) {
    const due = begun + (number * 1000) / rate;
    const early = due - performance.now();
    if (early > 1) await sleep(early);
    const publisher = publishers[number % publishers.length];
    await publisher.answered;
    sentAt[number] = performance.now();
    pending.push(publisher.publish(number));
  }
  await Promise.all(pending);
  return total;
}

class Publisher {
  answered = Promise.resolve();

  constructor(port, headers, event) {
    Object.assign(this, { port, headers, event });
  }

  open() {
    this.socket = net.connect({ port: this.port, host: '127.0.0.1', noDelay: true });
    return new Promise((resolve, reject) => {
      this.socket.once('connect', resolve);
      this.socket.on('error', reject);
    });
  }

  publish(number) {
    const event_id = `s-${String(number).padStart(DIGITS, '0')}`;
    const event = { ...this.event, event_id, service: 'stream', occurred_at: new Date().toISOString() };
    const body = JSON.stringify({ events: [event] });
    const head = { host: '127.0.0.1', 'content-length': Buffer.byteLength(body), ...this.headers };
    const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
    this.answered = new Promise((resolve, reject) => {
      this.socket.once('data', (chunk) =>
        chunk.includes('"accepted":1') ? resolve() : reject(new Error(chunk.latin1Slice(0, 1_000))),
      );
    });
    this.socket.write(`POST /ipm/event/publish HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
    return this.answered;
  }
}

const options = JSON.parse(await text(process.stdin));
const outcome = await run(options);
const { user, system } = process.cpuUsage();
process.stdout.write(JSON.stringify({ ...outcome, cpuSeconds: (user + system) / 1e6 }));
process.exit();

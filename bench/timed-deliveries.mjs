import { setTimeout as sleep } from 'node:timers/promises';
import { EventPublisher } from './event-publisher.mjs';
import { percentile } from './report.mjs';
import { listen } from './webhook-sink.mjs';

const MARK = Buffer.from('"event_id":"');
const ID_CHARACTERS = 36;
const ALL_THERE_WITHIN_MS = 30_000;
const CONNECTIONS = 16;

/** Publishes and receives in one process, so that one clock tells how late an event is. */
export class TimedDeliveries {
  #awaited = new Map();
  #server;
  #twice = 0;

  static async with(ipm) {
    const timed = new TimedDeliveries();
    timed.publisher = new EventPublisher(ipm, CONNECTIONS);
    timed.#server = await listen((bytes, at, bodyAt) => timed.#arrived(bytes, bodyAt));
    return timed;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}/w/0`;
  }

  /** One call, and until its events are there: milliseconds from when it was sent, and from when it was answered. */
  async one(headers, size = 1) {
    const { arrival } = await this.begin(headers, size);
    return this.#inTime(arrival);
  }

  /** One call, until it is answered. */
  async begin(headers, size) {
    let sentAtMs = 0;
    let arrivals;
    await this.publisher.publishOnce(headers, size, (eventIds, atMs) => {
      sentAtMs = atMs;
      arrivals = Promise.all(eventIds.map((eventId) => this.#arrivalOf(eventId)));
    });
    const answeredAtMs = performance.now();
    const lateness = (atMs) => ({ fromCallMs: atMs - sentAtMs, fromAnswerMs: atMs - answeredAtMs });
    return { arrival: arrivals.then((times) => times.map(lateness)) };
  }

  /** Until the events of these calls are there. */
  async arrivals(begun) {
    return (await this.#inTime(Promise.all(begun.map(({ arrival }) => arrival)))).flat();
  }

  /** So many events a second, `size` a call, one target after the other, whether what was sent before is there or not. */
  async atRate(targets, { rate, seconds, size = 1 }) {
    const calls = Math.max(1, Math.floor((rate * seconds) / size));
    const begunMs = performance.now();
    const pending = [];
    for (let number = 0; number < calls; number += 1) {
      const early = begunMs + (number * size * 1000) / rate - performance.now();
      if (early > 1) await sleep(early);
      pending.push(this.begin(targets[number % targets.length], size));
    }
    const sentPerSecond = (calls * size) / ((performance.now() - begunMs) / 1000);
    const lateness = await this.arrivals(await Promise.all(pending));
    if (this.#twice > 0) throw new Error(`${this.#twice} events came again`);
    return { ...summaryOf(lateness), sentPerSecond };
  }

  async stop() {
    this.#server.close();
    await this.publisher.end();
  }

  async #inTime(arrival) {
    const isThere = new AbortController();
    const late = sleep(ALL_THERE_WITHIN_MS, undefined, { signal: isThere.signal }).then(() => {
      throw new Error(`${this.#awaited.size} events were not there after ${ALL_THERE_WITHIN_MS / 1000} s`);
    });
    try {
      return await Promise.race([arrival, late]);
    } finally {
      isThere.abort();
    }
  }

  #arrivalOf(eventId) {
    return new Promise((resolve) => this.#awaited.set(eventId, resolve));
  }

  #late() {
    throw new Error(`${this.#awaited.size} events were not there after ${ALL_THERE_WITHIN_MS / 1000} s`);
  }

  #arrived(bytes, bodyAt) {
    const atMs = performance.now();
    const place = bytes.indexOf(MARK, bodyAt) + MARK.length;
    const eventId = bytes.latin1Slice(place, place + ID_CHARACTERS);
    const arrived = this.#awaited.get(eventId);
    if (!arrived) this.#twice += 1;
    this.#awaited.delete(eventId);
    arrived?.(atMs);
  }
}

export function summaryOf(lateness) {
  const fromCall = lateness.map(({ fromCallMs }) => fromCallMs);
  const fromAnswer = lateness.map(({ fromAnswerMs }) => fromAnswerMs);
  return {
    count: lateness.length,
    p50Ms: percentile(fromCall, 0.5),
    p95Ms: percentile(fromCall, 0.95),
    p99Ms: percentile(fromCall, 0.99),
    fromAnswerP50Ms: percentile(fromAnswer, 0.5),
    fromAnswerP95Ms: percentile(fromAnswer, 0.95),
    fromAnswerP99Ms: percentile(fromAnswer, 0.99),
  };
}

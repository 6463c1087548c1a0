import { randomInt } from 'node:crypto';
import { Pool } from 'undici';
import { EVENT_BYTES, eventsOfSize, eventTemplate, writeId, writeTime } from './events.mjs';

const ANSWERED_WITHIN_MS = 60_000;
const ID_CHARACTERS = 36;

/** Publishes a number of events, each another one, as the load generators do for a time. */
export class EventPublisher {
  #pool;
  #connections;
  #kinds = eventsOfSize(EVENT_BYTES).map((event) => JSON.stringify(event));
  #salt = randomInt(2 ** 31);
  #numbered = 0;

  constructor({ port }, connections = 8) {
    this.#pool = new Pool(`http://127.0.0.1:${port}`, { connections, headersTimeout: ANSWERED_WITHIN_MS });
    this.#connections = connections;
  }

  /** `each` events in each organisation, `aCall` at once, organisations in turn; throws unless all are accepted. */
  async publish(targets, each, aCall = 100) {
    const sizes = Array.from({ length: Math.ceil(each / aCall) }, (_, i) => Math.min(aCall, each - i * aCall));
    const calls = sizes.flatMap((size) => targets.map((headers) => ({ headers, size })));
    let next = 0;
    const caller = async () => {
      while (next < calls.length) {
        const { headers, size } = calls[next];
        next += 1;
        await this.publishOnce(headers, size);
      }
    };
    await Promise.all(Array.from({ length: this.#connections }, caller));
  }

  /** One call. `sending(eventIds, atMs)` is told of it just before. */
  async publishOnce(headers, size, sending = () => undefined) {
    const { bytes, idsAt } = this.#body(size);
    const eventIds = idsAt.map((at) => bytes.latin1Slice(at, at + ID_CHARACTERS));
    sending(eventIds, performance.now());
    const answer = await this.#pool.request({ method: 'POST', path: '/ipm/event/publish', headers, body: bytes });
    const text = await answer.body.text();
    if (answer.statusCode === 200 && text.includes(`"accepted":${size},"duplicate":0`)) return;
    throw new Error(`publishing was answered ${answer.statusCode}: ${text.slice(0, 500)}`);
  }

  async end() {
    await this.#pool.destroy();
  }

  #body(size) {
    const list = Array.from({ length: size }, (_, i) => this.#kinds[(this.#numbered + i) % this.#kinds.length]);
    const template = eventTemplate(`{"events":[${list.join(',')}]}`);
    for (const at of template.idsAt) writeId(template.bytes, at, (this.#numbered += 1), this.#salt);
    for (const at of template.timesAt) writeTime(template.bytes, at, Date.now());
    return template;
  }
}

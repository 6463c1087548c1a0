import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const CALLS_A_SECOND = 50;

/** Publishes one event at a time, at a steady pace whatever the answers take, while something else goes on. */
export class SingleCaller {
  #ipm;
  #headers;
  #latencies = [];
  #isDone = false;

  constructor(ipm, headers) {
    this.#ipm = ipm;
    this.#headers = headers;
  }

  async during(work) {
    const calling = this.#callOn();
    try {
      return { done: await work(), latencies: this.#latencies };
    } finally {
      this.#isDone = true;
      await calling;
    }
  }

  async #callOn() {
    const open = [];
    for (let next = performance.now(); !this.#isDone; next += 1000 / CALLS_A_SECOND) {
      await sleep(Math.max(0, next - performance.now()));
      open.push(this.#call(next));
    }
    await Promise.all(open);
  }

  /** Late from when it should have been sent. */
  async #call(dueMs) {
    const occurred_at = new Date().toISOString();
    const event = { event_id: randomUUID(), service: 'bench', action: 'thing.happened', occurred_at };
    const answer = await fetch(`${this.#ipm.base}/ipm/event/publish`, {
      method: 'POST',
      headers: this.#headers,
      body: JSON.stringify({ events: [event] }),
    });
    if (!answer.ok) throw new Error(`event/publish answered ${answer.status}`);
    await answer.arrayBuffer();
    this.#latencies.push(performance.now() - dueMs);
  }
}

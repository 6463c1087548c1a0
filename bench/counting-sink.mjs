import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const program = path.join(import.meta.dirname, 'sink-process.mjs');
const STARTED_WITHIN_MS = 10_000;
const FIRST_WITHIN_MS = 30_000;
/** So long nothing arrived: nothing will. */
const STALLED_AFTER_MS = 20_000;
const LONGEST_MS = 180_000;
const LOOK_EVERY_MS = 500;

/** The sink in a process of its own; it ends with us. */
export class CountingSink {
  #child;
  #answers = new Map();
  #asked = 0;
  #said = new Map();

  static async start() {
    const sink = new CountingSink();
    const child = fork(program, { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    sink.#child = child;
    child.on('message', (message) => sink.#hear(message));
    child.once('exit', () => sink.#gone());
    const { port } = await sink.#saying('listening', STARTED_WITHIN_MS);
    sink.port = port;
    return sink;
  }

  get pid() {
    return this.#child.pid;
  }

  urlOf(number) {
    return `http://127.0.0.1:${this.port}/w/${number}`;
  }

  /** Forgets what came before. */
  expect(what) {
    this.#said.clear();
    return this.#ask('expect', what);
  }

  first() {
    return this.#saying('first', FIRST_WITHIN_MS);
  }

  /** Resolves when as many have come as are expected; rejects when nothing comes any more. */
  async all() {
    let isThere = false;
    const all = this.#saying('all', LONGEST_MS).then(() => (isThere = true));
    let [last, lastAtMs] = [-1, performance.now()];
    while (!isThere) {
      await Promise.race([all, sleep(LOOK_EVERY_MS)]);
      const { count } = await this.look();
      if (count !== last) [last, lastAtMs] = [count, performance.now()];
      else if (!isThere && performance.now() - lastAtMs > STALLED_AFTER_MS)
        throw new Error(`no call arrived for ${STALLED_AFTER_MS / 1000} s; ${count} had`);
    }
  }

  look() {
    return this.#ask('look');
  }

  times() {
    return this.#ask('times');
  }

  audit() {
    return this.#ask('audit');
  }

  captured() {
    return this.#ask('captured');
  }

  async stop() {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }

  #ask(question, about) {
    this.#asked += 1;
    const number = this.#asked;
    return new Promise((resolve, reject) => {
      this.#answers.set(number, { resolve, reject });
      this.#child.send({ number, question, about }, (error) => error && reject(error));
    });
  }

  #hear({ number, answer, said, ...more }) {
    if (said === undefined) {
      this.#answers.get(number)?.resolve(answer);
      this.#answers.delete(number);
      return;
    }
    const heard = this.#said.get(said);
    this.#said.set(said, { ...more, isHeard: true });
    heard?.resolve?.(more);
  }

  #gone() {
    for (const { reject } of this.#answers.values()) reject(new Error('the sink has ended'));
    this.#answers.clear();
  }

  /** Also what was said before it was asked for. */
  #saying(said, withinMs) {
    const known = this.#said.get(said);
    if (known?.isHeard) return Promise.resolve(known);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(reject, withinMs, new Error(`the sink did not say "${said}" in ${withinMs / 1000} s`));
      this.#said.set(said, { resolve: (more) => (clearTimeout(timer), resolve(more)) });
    });
  }
}

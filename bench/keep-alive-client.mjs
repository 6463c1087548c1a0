import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** One HTTP/1.1 client over raw sockets, so that of every request it is known when it was sent and how it ended. */
export class KeepAliveClient {
  #stopped = false;
  #connection;

  /** @param sent where every request is written down that was begun */
  constructor({ port, headers }, manner, operations, sent) {
    this.port = port;
    this.manner = manner;
    this.sent = sent;
    this.requests = operations.map(([operation, body]) => ({
      operation,
      ...bytesOf(operation, headers, JSON.stringify(body), manner),
    }));
  }

  async run() {
    for (let i = Math.floor(Math.random() * this.requests.length); !this.#stopped; i += 1) {
      await sleep(this.manner.pauseMs());
      if (!this.#connection?.usable) this.#connection = await connect(this.port);
      if (!this.#connection) return;
      await this.#send(this.#connection, this.requests[i % this.requests.length]);
    }
    this.#connection?.socket.destroy();
  }

  stop() {
    this.#stopped = true;
  }

  async #send(connection, { operation, head, body }) {
    const isFirst = connection.answered === 0;
    const answer = connection.nextAnswer();
    connection.socket.write(head);
    if (this.manner.bodyAfterMs) await sleep(this.manner.bodyAfterMs);
    if (connection.usable) connection.socket.write(body);
    const sentAt = performance.now();
    if (this.manner.leaves) return void connection.socket.destroy();
    const { status, ended, closes } = await answer;
    if (closes) connection.retire();
    const outcome = ended ?? (status >= 200 && status < 300 ? 'answered' : `status ${status}`);
    const neverTaken = ended === 'reset' && isFirst && connection.bytesRead === 0;
    this.sent.push({ manner: this.manner.name, operation, sentAt, endedAt: performance.now(), outcome, neverTaken });
  }
}

class Connection {
  answered = 0;
  usable = true;
  #received = Buffer.alloc(0);
  #waiting;
  #error;

  constructor(socket) {
    this.socket = socket;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => (this.#error = error));
    socket.on('end', () => (this.usable = false));
    socket.on('close', () => {
      this.usable = false;
      this.#settle({ ended: this.#error ? 'reset' : 'ended without an answer' });
    });
  }

  get bytesRead() {
    return this.socket.bytesRead;
  }

  nextAnswer() {
    return new Promise((resolve) => (this.#waiting = resolve));
  }

  /** The server said that this was its last answer here. */
  retire() {
    this.usable = false;
    this.socket.destroy();
  }

  #take(chunk) {
    this.#received = Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = this.#received.toString('latin1', 0, headEnd);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
    if (Number.isNaN(length)) throw new Error(`an answer without content-length: ${head}`);
    if (this.#received.length < headEnd + 4 + length) return;
    this.#received = this.#received.subarray(headEnd + 4 + length);
    this.answered += 1;
    this.#settle({ status: Number(head.slice(9, 12)), closes: /\r\nconnection: close/i.test(head) });
  }

  #settle(answer) {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(answer);
  }
}

/** Undefined when nobody listens any more. */
function connect(port) {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    socket.once('error', () => resolve(undefined));
    socket.once('connect', () => resolve(new Connection(socket)));
  });
}

function bytesOf(operation, headers, body, { closing = false }) {
  const all = {
    host: '127.0.0.1',
    connection: closing ? 'close' : 'keep-alive',
    'content-length': Buffer.byteLength(body),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return { head: `POST /ipm/${operation} HTTP/1.1\r\n${lines.join('')}\r\n`, body };
}

import net from 'node:net';

const ANSWER = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
const HEAD_END = Buffer.from('\r\n\r\n');
const LENGTH = Buffer.from('\r\ncontent-length: ');
const DIGIT_0 = 48;

/**
 * Answers 200 to whatever is posted, and does as little for it as it can: it must not be what is measured. `arrived(bytes, at,
 * bodyAt, end)` is called with where a request begins, its body begins, and it ends.
 */
export async function listen(arrived) {
  const server = net.createServer({ noDelay: true }, (socket) => new Connection(socket, arrived));
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1', backlog: 2_048 }, resolve);
  });
  return server;
}

/** One request after the other, whole in one chunk as a rule. */
class Connection {
  #socket;
  #arrived;
  #begun = [];
  #begunBytes = 0;
  #neededBytes = 0;

  constructor(socket, arrived) {
    this.#socket = socket;
    this.#arrived = arrived;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', () => undefined);
  }

  #take(chunk) {
    if (this.#begunBytes === 0) return this.#read(chunk);
    this.#begun.push(chunk);
    this.#begunBytes += chunk.length;
    if (this.#begunBytes < this.#neededBytes) return undefined;
    const whole = Buffer.concat(this.#begun);
    this.#begun = [];
    this.#begunBytes = 0;
    return this.#read(whole);
  }

  #read(bytes) {
    let at = 0;
    while (at < bytes.length) {
      const headEnd = bytes.indexOf(HEAD_END, at);
      const bodyAt = headEnd + HEAD_END.length;
      const end = headEnd === -1 ? undefined : bodyAt + lengthIn(bytes, at, headEnd);
      if (end === undefined || end > bytes.length) return this.#keep(bytes.subarray(at), (end ?? 0) - at);
      this.#arrived(bytes, at, bodyAt, end);
      this.#socket.write(ANSWER);
      at = end;
    }
    return undefined;
  }

  #keep(rest, neededBytes) {
    this.#begun = [rest];
    this.#begunBytes = rest.length;
    this.#neededBytes = neededBytes;
  }
}

function lengthIn(bytes, at, headEnd) {
  const place = bytes.lastIndexOf(LENGTH, headEnd);
  if (place > at) return numberAt(bytes, place + LENGTH.length);
  const length = /\r\ncontent-length: *(\d+)/i.exec(bytes.latin1Slice(at, headEnd))?.[1];
  if (length === undefined) throw new Error('a call without content-length: this sink takes no other');
  return Number(length);
}

/** The decimal number that begins there. */
export function numberAt(bytes, from) {
  let number = 0;
  for (let at = from; ; at += 1) {
    const digit = bytes[at] - DIGIT_0;
    if (!(digit >= 0 && digit <= 9)) return number;
    number = number * 10 + digit;
  }
}

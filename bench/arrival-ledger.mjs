import { numberAt } from './webhook-sink.mjs';

const PATH_AT = 'POST '.length;
const PREFIX = Buffer.from('/w/');
const ID = Buffer.from('\r\nwebhook-id: msg_');
/** Of the id, 72 bits: enough to tell a million apart. */
const WORDS = 3;
const LEAST_ROOM = 1_000_000;

/** Who was called and with what id, to be looked through afterwards. Webhooks are `/w/<number>`. */
export class ArrivalLedger {
  count = 0;
  firstAtNs = 0n;
  lastAtNs = 0n;
  captured = [];
  #expected = { from: 0, webhooks: 0, each: 0 };
  #toCapture = 0;
  #strays = 0;
  #room = LEAST_ROOM;
  #paths = new Uint32Array(LEAST_ROOM);
  #ids = new Uint32Array(LEAST_ROOM * WORDS);

  /** From now on `each` for each of so many webhooks (0: any number, of any events); the texts of the first `capture` calls are kept. */
  expect({ from, webhooks, each, capture = 0 }) {
    this.#expected = { from, webhooks, each };
    this.#toCapture = capture;
    this.captured = [];
    [this.count, this.#strays] = [0, 0];
    this.#room = Math.max(LEAST_ROOM, 2 * webhooks * each);
    if (this.#paths.length >= this.#room) return;
    this.#paths = new Uint32Array(this.#room);
    this.#ids = new Uint32Array(this.#room * WORDS);
  }

  get awaited() {
    return this.#expected.webhooks * this.#expected.each;
  }

  note(bytes, at, bodyAt, end) {
    const { from, webhooks } = this.#expected;
    const path = numberAt(bytes, at + PATH_AT + PREFIX.length) - from;
    if (!(path >= 0 && path < webhooks)) return void (this.#strays += 1);
    const id = bytes.indexOf(ID, at) + ID.length;
    const row = this.count % this.#room;
    this.#paths[row] = path;
    for (let word = 0; word < WORDS; word += 1) this.#ids[row * WORDS + word] = bytes.readUInt32LE(id + 4 * word);
    this.lastAtNs = process.hrtime.bigint();
    if (this.count === 0) this.firstAtNs = this.lastAtNs;
    this.count += 1;
    if (this.count <= this.#toCapture) this.captured.push(bytes.utf8Slice(at, end));
  }

  /** What came twice, did not come, or came to a webhook that was not to be called. */
  audit() {
    const { webhooks, each } = this.#expected;
    const seen = Array.from({ length: webhooks }, () => new Set());
    for (let row = 0; row < Math.min(this.count, this.#room); row += 1) {
      const [a, b, c] = this.#ids.subarray(row * WORDS, row * WORDS + WORDS);
      seen[this.#paths[row]].add(`${a} ${b} ${c}`);
    }
    const distinct = seen.reduce((sum, ids) => sum + ids.size, 0);
    const missing = seen.reduce((sum, ids) => sum + Math.max(0, each - ids.size), 0);
    const unknown = each === 0 ? 0 : seen.reduce((sum, ids) => sum + Math.max(0, ids.size - each), 0);
    return { twice: this.count - distinct, missing, strays: this.#strays + unknown };
  }
}

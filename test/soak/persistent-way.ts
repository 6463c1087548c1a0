import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRetryable, type Door } from '../faults/support/door.js';
import type { Random } from '../faults/support/random.js';
import type { ApiAnswer, CallOptions } from '../support/api.js';
import type { TestDatabase } from '../support/database.js';

const PATIENCE_MS = 120_000;
const PAUSE_MS = 100;

/** Calls as an operator's script makes them: again through any door, until there is an answer. What may be made once has a key. */
export class PersistentWay {
  constructor(
    private readonly doors: readonly Door[],
    readonly database: TestDatabase,
    private readonly random: Random,
  ) {}

  async call(path: string, body: unknown, { orgcode = '', key = '' }: CallOptions = {}): Promise<ApiAnswer> {
    const request = /^\/bulk\/\w+\/create$/.test(path) ? { ...(body as object), idempotency_key: randomUUID() } : body;
    for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(PAUSE_MS)) {
      const door = this.random.pick(this.doors);
      const answer = await door.call(path, request, { orgcode, key }).catch(() => undefined);
      if (answer && !isRetryable(answer)) return answer;
    }
    throw new Error(`${path} was not answered for ${PATIENCE_MS / 1_000} s`);
  }
}

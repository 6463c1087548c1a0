import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiAnswer } from '../../support/api.js';
import { isRetryable, type Door, type Organisation } from './door.js';
import type { Ledger } from './ledger.js';
import type { Random } from './random.js';

export interface FeedReaderOptions {
  organisation: Organisation;
  doors: readonly Door[];
  ledger: Ledger;
  random: Random;
  /** Events a page. */
  limit: number;
  /** At the end of the feed, waits inside the call instead of asking again. */
  waitMs?: number;
  mayBreak?: boolean;
}

const LOOK_AGAIN_MS = 20;
const GIVE_UP_AFTER_FAILING_MS = 60_000;

/** Follows cdc/list from the beginning, each page through another door, and writes down what it sees. */
export class FeedReader {
  /** Where it would go on. */
  token: object | undefined;
  readonly name: string;

  constructor(private readonly options: FeedReaderOptions) {
    this.name = `reader by ${options.limit}`;
  }

  /** Reads on until the end is reached after `isOver`; whatever was acknowledged by then must have been seen. */
  async follow(isOver: () => boolean): Promise<void> {
    let failingSince: number | undefined;
    for (;;) {
      const wasOver = isOver();
      const data = await this.page();
      if (data) {
        failingSince = undefined;
        this.options.ledger.reads(this.name, this.options.organisation.orgcode, data.items);
        this.token = data.next_token;
        if (data.has_more) continue;
        if (wasOver && data.items.length === 0) return;
      } else {
        failingSince ??= Date.now();
        if (Date.now() - failingSince > GIVE_UP_AFTER_FAILING_MS) {
          this.options.ledger.strange(`${this.name} was not answered for a minute`);
          return;
        }
      }
      await sleep(LOOK_AGAIN_MS);
    }
  }

  /** Everything up to the present end. */
  readToEnd(): Promise<void> {
    return this.follow(() => true);
  }

  /** What the list answers to the present token. */
  ask(): Promise<ApiAnswer> {
    const { organisation, doors, random, limit, waitMs } = this.options;
    return random.pick(doors).call('/cdc/list', { limit, next_token: this.token, wait_ms: waitMs }, organisation);
  }

  private async page(): Promise<FeedPage | undefined> {
    const { ledger, mayBreak = false } = this.options;
    try {
      const answer = await this.ask();
      if (answer.status === 200) return answer.body.data as FeedPage;
      if (!isRetryable(answer))
        ledger.strange(`${this.name} was answered ${answer.status} ${JSON.stringify(answer.body.error)}`);
    } catch (error) {
      if (!mayBreak) ledger.strange(`a call of ${this.name} ended with ${String(error)}`);
    }
    return undefined;
  }
}

interface FeedPage {
  items: Record<string, unknown>[];
  next_token: object;
  has_more: boolean;
}

/** Three readers of one organisation, as different as readers are. */
export function threeReaders(options: Omit<FeedReaderOptions, 'limit' | 'waitMs'>): FeedReader[] {
  return [
    new FeedReader({ ...options, random: options.random.branch(), limit: 1 }),
    new FeedReader({ ...options, random: options.random.branch(), limit: 7 }),
    new FeedReader({ ...options, random: options.random.branch(), limit: 256, waitMs: 200 }),
  ];
}

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
  /** Whether calls may end without an answer, because somebody kills processes or cuts lines. */
  mayBreak?: boolean | undefined;
  /** Between two looks at the end of the feed. */
  lookAgainMs?: number;
}

const LOOK_AGAIN_MS = 20;
const PATIENCE_MS = 60_000;

/** Follows cdc/list from the beginning, each page through another door, and writes down what it sees. */
export class FeedReader {
  /** Where it would go on. */
  token: object | undefined;
  readonly seen: Record<string, unknown>[] = [];
  readonly name: string;
  readonly limit: number;

  constructor(private readonly options: FeedReaderOptions) {
    this.limit = options.limit;
    this.name = `reader by ${options.limit}`;
  }

  /** Reads on until the end is reached after `isOver`; whatever was acknowledged by then must have been seen. */
  async follow(isOver: () => boolean): Promise<void> {
    let patientUntil = Date.now() + PATIENCE_MS;
    while (Date.now() < patientUntil) {
      const wasOver = isOver();
      const page = await this.page();
      if (page === 'refused') return;
      if (page !== 'later') {
        this.options.ledger.reads(this.name, this.options.organisation.orgcode, page.items);
        this.seen.push(...page.items);
        this.token = page.next_token;
        patientUntil = Date.now() + PATIENCE_MS;
        if (page.has_more) continue;
        if (wasOver && page.items.length === 0) return;
      }
      await sleep(this.options.lookAgainMs ?? LOOK_AGAIN_MS);
    }
    this.options.ledger.strange(`${this.name} was not answered for ${PATIENCE_MS / 1000} s`);
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

  private async page(): Promise<FeedPage | 'later' | 'refused'> {
    const { ledger, mayBreak = false } = this.options;
    try {
      const answer = await this.ask();
      if (answer.status === 200) return answer.body.data as FeedPage;
      if (isRetryable(answer)) return 'later';
      ledger.strange(`${this.name} was answered ${answer.status} ${answer.body.error?.error_code}`);
      return 'refused';
    } catch (error) {
      if (!mayBreak) ledger.strange(`a call of ${this.name} ended with ${String(error)}`);
      return 'later';
    }
  }
}

interface FeedPage {
  items: Record<string, unknown>[];
  next_token: object;
  has_more: boolean;
}

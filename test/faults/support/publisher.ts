import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PublishResult } from '../../../src/cdc/cdc.dto.js';
import type { ApiAnswer } from '../../support/api.js';
import { isRetryable, type Door, type Organisation } from './door.js';
import type { Ledger } from './ledger.js';
import type { Random } from './random.js';
import type { SaidEvent } from './said-event.js';

/** How a client deals with calls that fail. */
export interface Persistence {
  /** Whether calls may end without an answer, because somebody kills processes or cuts lines. */
  mayBreak?: boolean;
  /** Of the calls that failed, how many are never tried again, as if their client had been killed too. */
  givesUp?: number;
  /** Sabotage: says the same thing under another event_id when it was not answered. */
  forgetsEventIds?: boolean;
}

export interface PublisherOptions extends Persistence {
  organisation: Organisation;
  doors: readonly Door[];
  ledger: Ledger;
  random: Random;
}

const PATIENCE_MS = 60_000;
const PAUSE_MS = 30;

/** A client as our documentation wants it: it tries again, with the same event ids, until it has an answer. */
export class Publisher {
  constructor(private readonly options: PublisherOptions) {}

  async say(events: readonly SaidEvent[]): Promise<void> {
    const { organisation, ledger, random, givesUp = 0, forgetsEventIds = false } = this.options;
    const until = Date.now() + PATIENCE_MS;
    let saying = events;
    while (Date.now() < until) {
      ledger.says(organisation.orgcode, saying);
      if ((await this.outcomeOf(saying)) === 'final') return;
      if (random.happens(givesUp)) return;
      if (forgetsEventIds) saying = saying.map((event) => ({ ...event, event_id: randomUUID() }));
      await sleep(PAUSE_MS);
    }
    ledger.strange(`${organisation.orgcode} was not answered for ${PATIENCE_MS / 1000} s`);
  }

  private async outcomeOf(events: readonly SaidEvent[]): Promise<'final' | 'unknown'> {
    const { organisation, doors, ledger, random, mayBreak = false } = this.options;
    let answer: ApiAnswer;
    try {
      answer = await random.pick(doors).call('/event/publish', { events }, organisation);
    } catch (error) {
      if (!mayBreak) ledger.strange(`a call of ${organisation.orgcode} ended with ${String(error)}`);
      return 'unknown';
    }
    if (isRetryable(answer)) return 'unknown';
    if (answer.status === 200) this.note(events, answer.body.data as PublishResult);
    else ledger.strange(`publish answered ${answer.status} ${answer.body.error?.error_code}`);
    return 'final';
  }

  private note(events: readonly SaidEvent[], { items }: PublishResult): void {
    const { organisation, ledger } = this.options;
    if (items.length !== events.length) ledger.strange(`${items.length} answers for ${events.length} events`);
    for (const { index, event_id, status, position, error } of items) {
      if (event_id === undefined || event_id !== events[index]?.event_id)
        ledger.strange(`the answer of number ${index} is about ${event_id}`);
      else if (status === 'rejected' || position === undefined)
        ledger.strange(`${event_id} was rejected: ${error?.error_code}`);
      else ledger.hears(organisation.orgcode, event_id, { status, position: BigInt(position) });
    }
  }
}

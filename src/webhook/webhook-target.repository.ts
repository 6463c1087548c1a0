import { Injectable } from '@nestjs/common';
import type { PlainTx, Statement } from '../platform/database/transaction.js';
import type { EventFilter } from './event-filter.js';
import type { WebhookStatus } from './webhook-lifecycle.js';
import type { Gap } from './webhook-gaps.dto.js';

/** How a webhook is routed and sent to. */
export interface TargetSettings {
  /** Another one after every change of the row, whoever makes it. */
  rowVersion: string;
  webhookId: string;
  /** What its deliveries are found by. */
  lane: bigint;
  status: Exclude<WebhookStatus, 'revoked'>;
  activation: number;
  /** Set active, the last time. */
  activeSince: Date;
  startPosition: bigint;
  gaps: Gap[];
  timeoutMs: number;
  payloadFormat: 'envelope' | 'cloudevents' | 'event';
  /** Calls a second. */
  rateLimit: number | null;
  /** Seconds before each attempt; null for what is configured. */
  retrySchedule: number[] | null;
  ordering: 'parallel' | 'key';
  orderingSkipAfter: number | null;
  /** Null for what is configured. */
  autoPause: { never: true } | { failures: number; after_seconds: number } | null;
}

interface SealedTexts {
  headersSealed: string | null;
  secretSealed: string;
  previousSecretSealed: string | null;
  previousSecretUntil: Date | null;
}

/** A webhook as it is stored. */
export interface StoredTarget extends TargetSettings {
  endpoint: string;
  eventFilters: EventFilter[];
  sealed: SealedTexts;
}

/** The webhooks of one organisation that are not revoked, as they were together at one instant. */
export interface StoredSet {
  orgcode: string;
  version: bigint;
  targets: StoredTarget[];
}

@Injectable()
export class WebhookTargetRepository {
  /** The version of the organisation's webhooks; 0 where none was ever written. */
  reading(orgcode: string): Statement<bigint> {
    const text = 'select version from webhook_roll where orgcode = $1';
    const answer = ([row]: { version?: bigint }[]): bigint => row?.version ?? 0n;
    return { name: 'webhook version', text, values: [orgcode], answer };
  }

  /** Of those that have one. */
  versions(tx: PlainTx, orgcodes: readonly string[]): Promise<{ orgcode: string; version: bigint }[]> {
    return tx.rows('webhook versions', 'select orgcode, version from webhook_roll where orgcode = any($1)', [orgcodes]);
  }

  /** One statement, because a version that was read before or after its webhooks would be said of others. */
  async sets(tx: PlainTx, orgcodes: readonly string[]): Promise<StoredSet[]> {
    const rows = await tx.rows<TargetRow>(
      'webhook sets',
      `      select o.orgcode, coalesce(r.version, 0) as version, w.xmin::text as "rowVersion", w.webhook_id as "webhookId",
        w.lane, w.status, w.activation,
        w.event_filters as "eventFilters", w.start_position as "startPosition", w.gaps, w.endpoint_url as "endpoint",
        w.headers_sealed as "headersSealed", w.secret_sealed as "secretSealed",
        w.previous_secret_sealed as "previousSecretSealed", w.previous_secret_until as "previousSecretUntil",
        w.timeout_ms as "timeoutMs", w.payload_format as "payloadFormat", w.rate_limit as "rateLimit",
        w.retry_schedule as "retrySchedule", w.ordering, w.ordering_skip_after as "orderingSkipAfter",
        w.auto_pause as "autoPause", w.active_since as "activeSince"
      from unnest($1::text[]) o(orgcode)
      left join webhook_roll r on r.orgcode = o.orgcode
      left join webhook w on w.orgcode = o.orgcode and w.status <> 'revoked' and w.start_position is not null
      order by w.lane`,
      [orgcodes],
    );
    const sets = new Map<string, StoredSet>();
    for (const { orgcode, version, ...row } of rows) {
      const set = sets.get(orgcode) ?? { orgcode, version, targets: [] };
      sets.set(orgcode, set);
      if (row.webhookId !== null) set.targets.push(storedTarget(row));
    }
    return [...sets.values()];
  }
}

type TargetRow = { orgcode: string; version: bigint } & Omit<StoredTarget, 'sealed'> & SealedTexts;

function storedTarget(row: Omit<TargetRow, 'orgcode' | 'version'>): StoredTarget {
  const { headersSealed, secretSealed, previousSecretSealed, previousSecretUntil, retrySchedule, ...rest } = row;
  return {
    ...rest,
    retrySchedule: retrySchedule?.length ? retrySchedule : null,
    sealed: { headersSealed, secretSealed, previousSecretSealed, previousSecretUntil },
  };
}

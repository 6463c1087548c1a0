import { Injectable } from '@nestjs/common';
import { Prisma, type Webhook } from '../generated/prisma/client.js';
import { Database } from '../platform/database/database.js';
import type { Db, SqlPart, Tx } from '../platform/database/transaction.js';
import type { WebhookStatus } from './webhook-lifecycle.js';
import type { NewWebhookSettings, WebhookSettings } from './webhook-settings.js';

/** How it fared when it was called; null where it never was. */
interface Health {
  consecutiveFailures: number | null;
  lastSuccessAt: Date | null;
  lastFailureAt: Date | null;
  lastError: unknown;
}

/** What nobody is shown of a webhook: who changes it needs it. */
type Inner =
  'secretSealed' | 'previousSecretSealed' | 'startPosition' | 'pausedAfter' | 'pausedAt' | 'gaps' | 'activation';
type Unread = Inner | 'activeSince' | 'backlogWarnedTo' | 'backlogOldestAt' | 'backlogLostTo';

export type ShownWebhook = Omit<Webhook, Unread> & Health;
export type WebhookRecord = ShownWebhook & Pick<Webhook, Inner>;

/** Of a statement over `webhook w`. */
export type WebhookColumn = SqlPart;

export interface NewWebhook {
  webhookId: string;
  caption: string | null;
  endpointUrl: string;
  status: WebhookStatus;
  eventFilters: object;
  headersSealed: string | null;
  secretSealed: string;
  secretLast4: string;
  settings: NewWebhookSettings;
  requestContext: object;
  reason: string;
  sourceRefs: object;
}

export interface StatusChange {
  status: WebhookStatus;
  statusRequestContext: object;
  statusReason: string;
  statusSourceRefs: object;
  pausedAfter: bigint | null;
  pausedAt: Date | null;
  gaps: object;
  activation: number;
}

/** What is undefined stays as it is. */
export interface WebhookChange {
  caption?: string | null;
  endpointUrl?: string;
  eventFilters?: object;
  headersSealed?: string | null;
  settings?: WebhookSettings;
  secret?: SecretChange;
}

export interface SecretChange {
  secretSealed?: string;
  secretLast4?: string;
  previousSecretSealed: string | null;
  previousSecretUntil: Date | null;
}

export interface ListPlace {
  createdAt: Date;
  webhookId: string;
}

const SHOWN = Prisma.sql`w.orgcode, w.webhook_id as "webhookId", w.lane, w.caption, w.endpoint_url as "endpointUrl", w.status,
  w.event_filters as "eventFilters", w.headers_sealed as "headersSealed", w.secret_last4 as "secretLast4", w.timeout_ms as "timeoutMs",
  w.payload_format as "payloadFormat", w.rate_limit as "rateLimit", coalesce(w.retry_schedule, '{}') as "retrySchedule", w.ordering,
  w.ordering_skip_after as "orderingSkipAfter", w.auto_pause as "autoPause", w.previous_secret_until as "previousSecretUntil",
  w.request_context as "requestContext", w.reason, w.source_refs as "sourceRefs", w.status_request_context as "statusRequestContext",
  w.status_reason as "statusReason", w.status_source_refs as "statusSourceRefs", w.backlog_lost_from as "backlogLostFrom",
  w.created_at as "createdAt", w.updated_at as "updatedAt", w.revision, h.consecutive_failures as "consecutiveFailures",
  h.last_success_at as "lastSuccessAt", h.last_failure_at as "lastFailureAt", h.last_error as "lastError"`;
const ALL = Prisma.sql`${SHOWN}, w.secret_sealed as "secretSealed", w.previous_secret_sealed as "previousSecretSealed",
  w.start_position as "startPosition", w.paused_after as "pausedAfter", w.paused_at as "pausedAt", w.gaps, w.activation`;
const WITH_HEALTH = Prisma.sql`webhook w left join webhook_health h on h.lane = w.lane and h.orgcode = w.orgcode`;

const NOTHING_LOST = Prisma.sql`backlog_warned_to = 0, backlog_oldest_at = null, backlog_lost_to = 0, backlog_lost_from = null`;
const HEALTHY = Prisma.sql`consecutive_failures = 0, failing_since = null, not_before = null`;

@Injectable()
export class WebhookRepository {
  constructor(private readonly database: Database) {}

  /** Undefined where the organisation has one of that id. */
  async insert(tx: Tx, orgcode: string, webhook: NewWebhook): Promise<WebhookRecord | undefined> {
    const { webhookId, caption, endpointUrl, status, headersSealed, secretSealed, secretLast4, settings, reason } =
      webhook;
    const [eventFilters, requestContext, sourceRefs, autoPause] = [
      webhook.eventFilters,
      webhook.requestContext,
      webhook.sourceRefs,
      settings.autoPause,
    ].map(jsonOf);
    const { timeoutMs, payloadFormat, rateLimit, retrySchedule, ordering, orderingSkipAfter } = settings;
    const [inserted] = await tx.$queryRaw<WebhookRecord[]>`
      with w as (
        insert into webhook (orgcode, webhook_id, caption, endpoint_url, status, event_filters, headers_sealed, secret_sealed, secret_last4,
          timeout_ms, payload_format, rate_limit, retry_schedule, ordering, ordering_skip_after, auto_pause, request_context, reason, source_refs)
        values (${orgcode}, ${webhookId}, ${caption}, ${endpointUrl}, ${status}, ${eventFilters}::jsonb, ${headersSealed}, ${secretSealed},
          ${secretLast4}, ${timeoutMs}::int, ${payloadFormat}, ${rateLimit}::int, ${retrySchedule}::int[], ${ordering},
          ${orderingSkipAfter}::int, ${autoPause}::jsonb, ${requestContext}::jsonb, ${reason}, ${sourceRefs}::jsonb)
        on conflict do nothing returning *
      ), h as (select null::int as consecutive_failures, null::timestamptz as last_success_at, null::timestamptz as last_failure_at, null::jsonb as last_error)
      select ${ALL} from w cross join h`;
    return inserted;
  }

  /** As one may see it, in a read of its own; with one more column, if there is one to be told. */
  async read(
    orgcode: string,
    webhookId: string,
    more: WebhookColumn = Prisma.sql`null`,
  ): Promise<(ShownWebhook & { more: unknown }) | undefined> {
    const [webhook] = await this.database.rows<ShownWebhook & { more: unknown }>(
      orgcode,
      Prisma.sql`select ${SHOWN}, ${more} as more from ${WITH_HEALTH} where w.orgcode = ${orgcode} and w.webhook_id = ${webhookId}`,
    );
    return webhook;
  }

  async find(db: Db, orgcode: string, webhookId: string): Promise<WebhookRecord | undefined> {
    const [webhook] = await db.$queryRaw<WebhookRecord[]>`
      select ${ALL} from ${WITH_HEALTH} where w.orgcode = ${orgcode} and w.webhook_id = ${webhookId}`;
    return webhook;
  }

  /** Locked, so that of two who change it one sees the other's revision. */
  async findForUpdate(tx: Tx, orgcode: string, webhookId: string): Promise<WebhookRecord | undefined> {
    const [webhook] = await tx.$queryRaw<WebhookRecord[]>`
      select ${ALL} from ${WITH_HEALTH} where w.orgcode = ${orgcode} and w.webhook_id = ${webhookId} for update of w`;
    return webhook;
  }

  /**
   * Whoever keeps the organisation's webhooks in memory reads them anew. Last of all, after the log's lock: every change of a webhook of the
   * organisation waits here for the one before to commit. So a version is seen with all changes up to it, and no other.
   */
  async bump(tx: Tx, orgcode: string): Promise<void> {
    await tx.$executeRaw`
      insert into webhook_roll (orgcode) values (${orgcode})
      on conflict (orgcode) do update set version = webhook_roll.version + 1`;
  }

  /**
   * Its events are those after the position; for a paused one the backlog begins there. False where it is one more than the organisation
   * may have: whoever calls holds the log, so nobody else creates one meanwhile.
   */
  async startAfter(tx: Tx, orgcode: string, webhookId: string, position: bigint, atMost: number): Promise<boolean> {
    const count = await tx.$executeRaw`
      update webhook set start_position = ${position}, paused_after = case when status = 'paused' then ${position}::bigint end,
        paused_at = case when status = 'paused' then created_at end
      where orgcode = ${orgcode} and webhook_id = ${webhookId}
        and (select count(*) from webhook where orgcode = ${orgcode} and status <> 'revoked') <= ${atMost}`;
    return count === 1;
  }

  /** What is up to the position is left out, and was not missed. */
  async startAnew(
    tx: Tx,
    { orgcode, webhookId }: { orgcode: string; webhookId: string },
    position: bigint,
  ): Promise<void> {
    await tx.$executeRaw`
      update webhook set start_position = greatest(start_position, ${position}) where orgcode = ${orgcode} and webhook_id = ${webhookId}`;
  }

  /** The row must be locked and its revision compared. Failure counters start anew. */
  async changeStatus(tx: Tx, orgcode: string, webhookId: string, change: StatusChange): Promise<WebhookRecord> {
    const { status, statusRequestContext, statusReason, statusSourceRefs, pausedAfter, pausedAt, gaps, activation } =
      change;
    const whenActive =
      status === 'active' ? Prisma.sql`, active_since = clock_timestamp(), ${NOTHING_LOST}` : Prisma.empty;
    const [changed] = await tx.$queryRaw<[WebhookRecord]>`
      with w as (
        update webhook set status = ${status}, status_request_context = ${jsonOf(statusRequestContext)}::jsonb, status_reason = ${statusReason},
          status_source_refs = ${jsonOf(statusSourceRefs)}::jsonb, paused_after = ${pausedAfter}, paused_at = ${pausedAt},
          gaps = ${jsonOf(gaps)}::jsonb, activation = ${activation}, updated_at = clock_timestamp(), revision = revision + 1 ${whenActive}
        where orgcode = ${orgcode} and webhook_id = ${webhookId} returning *
      ), h as (
        update webhook_health u set ${HEALTHY} from w where u.lane = w.lane and u.orgcode = w.orgcode returning u.*
      )
      select ${ALL} from w left join h on h.lane = w.lane`;
    return changed;
  }

  /** The row must be locked and its revision compared. Another endpoint is not blamed for what the one before did. */
  async update(
    tx: Tx,
    orgcode: string,
    { webhookId, lane }: Pick<WebhookRecord, 'webhookId' | 'lane'>,
    { eventFilters, settings, secret, ...columns }: WebhookChange,
  ): Promise<WebhookRecord> {
    await tx.webhook.update({
      where: { orgcode_webhookId: { orgcode, webhookId } },
      data: {
        ...columns,
        ...secret,
        ...(settings ? settingColumns(settings) : {}),
        ...(eventFilters ? { eventFilters: eventFilters as Prisma.InputJsonValue } : {}),
        updatedAt: new Date(),
        revision: { increment: 1 },
      },
    });
    if (columns.endpointUrl !== undefined)
      await tx.$executeRaw`update webhook_health set ${HEALTHY} where lane = ${lane} and orgcode = ${orgcode}`;
    return (await this.find(tx, orgcode, webhookId)) as WebhookRecord;
  }

  /** Newest first. */
  page(
    orgcode: string,
    status: WebhookStatus | undefined,
    after: ListPlace | undefined,
    limit: number,
  ): Promise<ShownWebhook[]> {
    const ofStatus = status === undefined ? Prisma.empty : Prisma.sql`and w.status = ${status}`;
    // Newest first with ascending ids: a row comparison cannot mix directions. The first condition is where the index begins.
    const afterPlace = after
      ? Prisma.sql`and w.created_at <= ${after.createdAt} and (w.created_at < ${after.createdAt} or w.webhook_id > ${after.webhookId})`
      : Prisma.empty;
    return this.database.rows<ShownWebhook>(
      orgcode,
      Prisma.sql`
        select ${SHOWN} from ${WITH_HEALTH} where w.orgcode = ${orgcode} ${ofStatus} ${afterPlace}
        order by w.created_at desc, w.webhook_id limit ${limit}`,
    );
  }
}

function jsonOf(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}

function settingColumns({ autoPause, ...columns }: WebhookSettings): object {
  return autoPause === undefined ? columns : { ...columns, autoPause: autoPause ?? Prisma.DbNull };
}

import { Injectable } from '@nestjs/common';
import { Prisma, type Webhook, type WebhookHealth } from '../generated/prisma/client.js';
import { Database } from '../platform/database/database.js';
import type { Db, Tx } from '../platform/database/transaction.js';
import type { WebhookStatus } from './webhook-lifecycle.js';
import type { WebhookSettings } from './webhook-settings.js';

export type WebhookRecord = Webhook & { health: WebhookHealth | null };

export interface NewWebhook {
  webhookId: string;
  caption: string | null;
  endpointUrl: string;
  status: WebhookStatus;
  eventFilters: object;
  headersSealed: string | null;
  secretSealed: string;
  secretLast4: string;
  settings: WebhookSettings;
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

const NOTHING_LOST = { backlogWarnedTo: 0n, backlogOldestAt: null, backlogLostTo: 0n, backlogLostFrom: null };
const HEALTHY = { consecutiveFailures: 0, failingSince: null, notBefore: null };

@Injectable()
export class WebhookRepository {
  constructor(private readonly database: Database) {}

  count(tx: Tx, orgcode: string): Promise<number> {
    return tx.webhook.count({ where: { orgcode, status: { not: 'revoked' } } });
  }

  /** Undefined where the organisation has one of that id. */
  async insert(tx: Tx, orgcode: string, webhook: NewWebhook): Promise<WebhookRecord | undefined> {
    const { eventFilters, requestContext, sourceRefs, settings, ...rest } = webhook;
    const json = {
      eventFilters: eventFilters as Prisma.InputJsonValue,
      requestContext: requestContext as Prisma.InputJsonValue,
      sourceRefs: sourceRefs as Prisma.InputJsonValue,
    };
    const { count } = await tx.webhook.createMany({
      data: { ...rest, ...json, ...settingColumns(settings), orgcode },
      skipDuplicates: true,
    });
    return count === 0 ? undefined : ((await this.find(tx, orgcode, webhook.webhookId)) ?? undefined);
  }

  async find(db: Db, orgcode: string, webhookId: string): Promise<WebhookRecord | null> {
    const webhook = await db.webhook.findUnique({ where: { orgcode_webhookId: { orgcode, webhookId } } });
    if (!webhook) return null;
    return { ...webhook, health: await db.webhookHealth.findUnique({ where: { lane: webhook.lane, orgcode } }) };
  }

  /** Locked, so that of two who change it one sees the other's revision. */
  async findForUpdate(tx: Tx, orgcode: string, webhookId: string): Promise<WebhookRecord | null> {
    await tx.$queryRaw`select 1 from webhook where orgcode = ${orgcode} and webhook_id = ${webhookId} for update`;
    return this.find(tx, orgcode, webhookId);
  }

  /** Whoever keeps the organisation's webhooks in memory reads them anew. Right after the lock of the webhook itself. */
  async bump(tx: Tx, orgcode: string): Promise<void> {
    await tx.$executeRaw`
      insert into webhook_roll (orgcode) values (${orgcode})
      on conflict (orgcode) do update set version = webhook_roll.version + 1`;
  }

  /** Its events are those after the position. For a paused one the backlog begins there. */
  async startAfter(tx: Tx, orgcode: string, webhookId: string, position: bigint): Promise<void> {
    await tx.$executeRaw`
      update webhook set start_position = ${position}, paused_after = case when status = 'paused' then ${position}::bigint end,
        paused_at = case when status = 'paused' then created_at end
      where orgcode = ${orgcode} and webhook_id = ${webhookId}`;
  }

  /** The row must be locked and its revision compared. Failure counters start anew. */
  async changeStatus(
    tx: Tx,
    orgcode: string,
    { webhookId, lane }: Pick<WebhookRecord, 'webhookId' | 'lane'>,
    change: StatusChange,
  ): Promise<WebhookRecord> {
    const webhook = await tx.webhook.update({
      where: { orgcode_webhookId: { orgcode, webhookId } },
      data: {
        ...change,
        statusRequestContext: change.statusRequestContext as Prisma.InputJsonValue,
        statusSourceRefs: change.statusSourceRefs as Prisma.InputJsonValue,
        gaps: change.gaps as Prisma.InputJsonValue,
        ...(change.status === 'active' ? { activeSince: new Date(), ...NOTHING_LOST } : {}),
        updatedAt: new Date(),
        revision: { increment: 1 },
      },
    });
    await tx.webhookHealth.updateMany({
      where: { orgcode, lane },
      data: HEALTHY,
    });
    return { ...webhook, health: await tx.webhookHealth.findUnique({ where: { orgcode, lane } }) };
  }

  /** The row must be locked and its revision compared. Another endpoint is not blamed for what the one before did. */
  async update(
    tx: Tx,
    orgcode: string,
    { webhookId, lane }: Pick<WebhookRecord, 'webhookId' | 'lane'>,
    { eventFilters, settings, secret, ...columns }: WebhookChange,
  ): Promise<WebhookRecord> {
    const webhook = await tx.webhook.update({
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
      await tx.webhookHealth.updateMany({ where: { orgcode, lane }, data: HEALTHY });
    return { ...webhook, health: await tx.webhookHealth.findUnique({ where: { orgcode, lane } }) };
  }

  /** Newest first. */
  async page(
    orgcode: string,
    status: WebhookStatus | undefined,
    after: ListPlace | undefined,
    limit: number,
  ): Promise<WebhookRecord[]> {
    return this.database.read(orgcode, async (db) => {
      const webhooks = await db.webhook.findMany({
        where: {
          orgcode,
          ...(status === undefined ? {} : { status }),
          ...(after === undefined
            ? {}
            : {
                OR: [
                  { createdAt: { lt: after.createdAt } },
                  { createdAt: after.createdAt, webhookId: { gt: after.webhookId } },
                ],
              }),
        },
        orderBy: [{ createdAt: 'desc' }, { webhookId: 'asc' }],
        take: limit,
      });
      const health = await db.webhookHealth.findMany({
        where: { orgcode, lane: { in: webhooks.map(({ lane }) => lane) } },
      });
      const byLane = new Map(health.map((row) => [row.lane, row]));
      return webhooks.map((webhook) => ({ ...webhook, health: byLane.get(webhook.lane) ?? null }));
    });
  }
}

function settingColumns({ autoPause, ...columns }: WebhookSettings): object {
  return autoPause === undefined ? columns : { ...columns, autoPause: autoPause ?? Prisma.DbNull };
}

import { Injectable } from '@nestjs/common';
import { EventPartitions, type EventPartition } from '../cdc/event-partitions.service.js';
import { OwnEvents, type OwnEvent } from '../cdc/own-events.service.js';
import { Configuration } from '../platform/config/configuration.js';
import { Database } from '../platform/database/database.js';
import type { SystemTx, Tx } from '../platform/database/transaction.js';
import { WebhookBacklogRepository, type LostBacklog, type WaitingBacklog } from './webhook-backlog.repository.js';

const DAY_MS = 24 * 60 * 60_000;
/** So long before retention takes events, who waits for them is told. */
const NOTICE_DAYS = 7;
const AT_ONCE = 200;

/** Retention waits for no webhook that is paused. What that costs is said in the organisation's log: before, and after. */
@Injectable()
export class WebhookBacklogRetention {
  constructor(
    private readonly database: Database,
    private readonly partitions: EventPartitions,
    private readonly backlogs: WebhookBacklogRepository,
    private readonly ownEvents: OwnEvents,
    private readonly configuration: Configuration,
  ) {}

  async look(now: Date): Promise<void> {
    for (const partition of await this.partitions.all()) {
      const dropNotBefore = this.dropNotBefore(partition);
      if (!dropNotBefore || dropNotBefore.getTime() - now.getTime() > NOTICE_DAYS * DAY_MS) break; // the others are younger
      const endangered = await this.across((tx) => this.backlogs.endangered(tx, partition.to, AT_ONCE));
      for (const backlog of endangered) await this.warn(backlog, partition.to, dropNotBefore);
    }
    for (const backlog of await this.across((tx) => this.backlogs.robbed(tx, AT_ONCE))) await this.tell(backlog);
  }

  private dropNotBefore({ fullAt }: EventPartition): Date | undefined {
    return fullAt === null ? undefined : new Date(fullAt.getTime() + this.configuration.events.retentionDays * DAY_MS);
  }

  private warn(backlog: WaitingBacklog, before: bigint, dropNotBefore: Date): Promise<void> {
    const { webhookId, pausedAt, after, oldestAt } = backlog;
    const payload = {
      webhook_id: webhookId,
      paused_at: pausedAt.toISOString(),
      backlog_after_position: String(after),
      ...(oldestAt && { oldest_recorded_at: oldestAt.toISOString() }),
      drop_not_before: dropNotBefore.toISOString(),
    };
    return this.say(backlog, 'retention.approaching', payload, (tx) => this.backlogs.noteWarned(tx, backlog, before));
  }

  private tell(backlog: LostBacklog): Promise<void> {
    const { webhookId, pausedAt, after, oldestAt, droppedTo } = backlog;
    const lostFrom = oldestAt ?? pausedAt;
    const payload = {
      webhook_id: webhookId,
      backlog_lost_from: lostFrom.toISOString(),
      lost_after_position: String(after),
      lost_to_position: String(droppedTo),
    };
    return this.say(backlog, 'retention.dropped', payload, (tx) => this.backlogs.noteLost(tx, backlog, lostFrom));
  }

  /** Once, however many workers look. */
  private async say(
    { orgcode, webhookId }: WaitingBacklog,
    action: string,
    payload: object,
    note: (tx: Tx) => Promise<boolean>,
  ): Promise<void> {
    const event: OwnEvent = { action, resource: { type: 'webhook', id: webhookId }, payload };
    const reason = `Events are kept for ${this.configuration.events.retentionDays} days, and a paused webhook waits for older ones.`;
    const isOurs = await this.database.transaction(orgcode, async (tx) => {
      const isFirst = await note(tx);
      if (isFirst) await this.ownEvents.appendUnasked(tx, orgcode, reason, [event]);
      return isFirst;
    });
    if (isOurs) this.ownEvents.announce(orgcode);
  }

  private across<T>(work: (tx: SystemTx) => Promise<T>): Promise<T> {
    return this.database.acrossOrganisations('retention', work);
  }
}

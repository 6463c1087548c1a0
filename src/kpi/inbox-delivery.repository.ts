import { Injectable } from '@nestjs/common';
import { Prisma } from '../generated/prisma/client.js';
import type { SystemTx, Tx } from '../platform/database/transaction.js';
import type { KpiAlertDeliveryStatus } from './kpi-alert-lifecycle.js';
import type { AlertRecord } from './kpi-alert.repository.js';

export interface ClaimBounds {
  inboxService: string;
  /** Of all organisations. */
  atMost: number;
  /** Of one of them. */
  ofOne: number;
  /** They have as many on their way as they may. */
  passOver: readonly string[];
  leaseSeconds: number;
}

/** What came of an attempt. */
export interface AttemptResult {
  deliveryStatus: KpiAlertDeliveryStatus;
  dueAt: Date | null;
  deliveryError: object | null;
  inboxNotificationId: string | undefined;
}

const COUNTED_UP_TO = 100_000;

/** Alerts on their way to inboxes. */
@Injectable()
export class InboxDeliveryRepository {
  /**
   * Alerts that are due, leased: who claims moves their time ahead, so a worker that is lost leaves them to the next one. The
   * organisations that wait are stepped through in the index, a few alerts of each, so that nobody stands behind somebody else's
   * thousands.
   */
  async claim(
    tx: SystemTx,
    { inboxService, atMost, ofOne, passOver, leaseSeconds }: ClaimBounds,
  ): Promise<AlertRecord[]> {
    const keys = await tx.$queryRaw<{ orgcode: string; alertId: string }[]>`
        with recursive waiting as (
          (select orgcode from kpi_alert where delivery_status = 'pending' order by orgcode limit 1)
          union all
          select (select a.orgcode from kpi_alert a where a.delivery_status = 'pending' and a.orgcode > w.orgcode order by a.orgcode limit 1)
          from waiting w where w.orgcode is not null
        ), first as (
          select d.orgcode, d.alert_id from waiting w cross join lateral (
            select a.orgcode, a.alert_id, a.due_at from kpi_alert a
            where a.orgcode = w.orgcode and a.delivery_status = 'pending' and a.due_at <= clock_timestamp() and a.inbox_service = ${inboxService}
            order by a.due_at limit ${ofOne}) d
          where w.orgcode is not null and w.orgcode <> all(${[...passOver]})
          order by d.due_at limit ${atMost}
        )
        update kpi_alert a set due_at = clock_timestamp() + make_interval(secs => ${leaseSeconds}), fence = a.fence + 1
        from (
          select a.orgcode, a.alert_id from kpi_alert a join first using (orgcode, alert_id)
          where a.delivery_status = 'pending' and a.due_at <= clock_timestamp() for update of a skip locked) free
        where a.orgcode = free.orgcode and a.alert_id = free.alert_id
        returning a.orgcode, a.alert_id as "alertId"`;
    return tx.kpiAlert.findMany({ where: { OR: keys.map(({ orgcode, alertId }) => ({ orgcode, alertId })) } });
  }

  async standing(tx: SystemTx): Promise<{ pending: number; oldestSeconds: number; open: number }> {
    const [row] = await tx.$queryRaw<[{ pending: number; oldestSeconds: number; open: number }]>`
      select p.*, (select count(*)::int from
          (select from kpi_alert where rule_no is not null and cleared_at is null limit ${COUNTED_UP_TO}) o) as open
      from (select count(*)::int as pending, coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 as "oldestSeconds"
        from (select created_at from kpi_alert where delivery_status = 'pending' limit ${COUNTED_UP_TO}) a) p`;
    return row;
  }

  /** False where somebody else has it by now: the lease was too short, and what came of their call counts. */
  async settle(
    tx: Tx,
    { orgcode, alertId, fence }: Pick<AlertRecord, 'orgcode' | 'alertId' | 'fence'>,
    { deliveryError, inboxNotificationId, ...result }: AttemptResult,
  ): Promise<boolean> {
    const { count } = await tx.kpiAlert.updateMany({
      where: { orgcode, alertId, fence, deliveryStatus: 'pending' },
      data: {
        ...result,
        deliveryError: deliveryError === null ? Prisma.DbNull : (deliveryError as Prisma.InputJsonValue),
        ...(inboxNotificationId === undefined ? {} : { inboxNotificationId }),
        attempts: { increment: 1 },
        updatedAt: new Date(),
        revision: { increment: 1 },
      },
    });
    return count === 1;
  }
}

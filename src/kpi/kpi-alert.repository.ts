import { Injectable } from '@nestjs/common';
import { Prisma, type KpiAlert } from '../generated/prisma/client.js';
import type { Db, Tx } from '../platform/database/transaction.js';
import { Database } from '../platform/database/database.js';
import type { KpiAlertDeliveryStatus } from './kpi-alert-lifecycle.js';

export type AlertRecord = KpiAlert;

export interface NewAlert {
  alertId: string;
  ruleId?: string;
  ruleNo?: bigint;
  series?: bigint;
  kpiCode: string;
  measure: string;
  value: number;
  comparator: string;
  threshold: number;
  scope: string;
  logicalGuid: string | undefined;
  channelCode: string | undefined;
  bucket: string;
  bucketStart: Date;
  bucketEnd: Date;
  dimensions: object;
  title: string | undefined;
  body?: string | undefined;
  teamGuid?: string | undefined;
  inboxService?: string | undefined;
  notification?: object;
  deliveryStatus: KpiAlertDeliveryStatus;
  dueAt?: Date | undefined;
  requestContext?: object;
  reason: string;
  sourceRefs?: object;
}

export interface AlertPlace {
  createdAt: Date;
  alertId: string;
}

@Injectable()
export class KpiAlertRepository {
  constructor(private readonly database: Database) {}

  /** Those that are new: a rule raises a bucket once, and an id is one alert. */
  async insert(tx: Tx, orgcode: string, alerts: readonly NewAlert[]): Promise<AlertRecord[]> {
    const data = alerts.map(({ dimensions, notification = {}, requestContext, sourceRefs, ...columns }) => ({
      ...columns,
      orgcode,
      dimensions: dimensions as Prisma.InputJsonValue,
      notification: notification as Prisma.InputJsonValue,
      ...(requestContext ? { requestContext: requestContext as Prisma.InputJsonValue } : {}),
      ...(sourceRefs ? { sourceRefs: sourceRefs as Prisma.InputJsonValue } : {}),
    }));
    return tx.kpiAlert.createManyAndReturn({ data: data as Prisma.KpiAlertCreateManyInput[], skipDuplicates: true });
  }

  find(db: Db, orgcode: string, alertId: string): Promise<AlertRecord | null> {
    return db.kpiAlert.findUnique({ where: { orgcode_alertId: { orgcode, alertId } } });
  }

  /** What rules have raised for these series and nothing has cleared. The lock of the series keeps others from both. */
  open(tx: Tx, orgcode: string, series: readonly bigint[]): Promise<AlertRecord[]> {
    return tx.kpiAlert.findMany({
      where: { orgcode, series: { in: [...series] }, ruleNo: { not: null }, clearedAt: null },
      orderBy: [{ bucketStart: 'asc' }, { alertId: 'asc' }],
    });
  }

  async clear(tx: Tx, orgcode: string, alertIds: readonly string[]): Promise<void> {
    await tx.$executeRaw`
      update kpi_alert set cleared_at = clock_timestamp(), updated_at = clock_timestamp(), revision = revision + 1
      where orgcode = ${orgcode} and alert_id = any(${[...alertIds]}) and cleared_at is null`;
  }

  /** Newest first. */
  page(
    orgcode: string,
    { kpiCode, ruleId }: { kpiCode: string | undefined; ruleId: string | undefined },
    after: AlertPlace | undefined,
    limit: number,
  ): Promise<AlertRecord[]> {
    return this.database.read(orgcode, (db) =>
      db.kpiAlert.findMany({
        where: {
          orgcode,
          ...(kpiCode === undefined ? {} : { kpiCode }),
          ...(ruleId === undefined ? {} : { ruleId }),
          ...(after === undefined
            ? {}
            : {
                OR: [
                  { createdAt: { lt: after.createdAt } },
                  { createdAt: after.createdAt, alertId: { gt: after.alertId } },
                ],
              }),
        },
        orderBy: [{ createdAt: 'desc' }, { alertId: 'asc' }],
        take: limit,
      }),
    );
  }
}

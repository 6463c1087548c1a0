import { Injectable } from '@nestjs/common';
import type { KpiRule, Prisma } from '../generated/prisma/client.js';
import { Database } from '../platform/database/database.js';
import type { Db, SystemTx, Tx } from '../platform/database/transaction.js';
import type { Bucket } from './bucket-time.js';
import type { KpiRuleStatus } from './kpi-rule-lifecycle.js';

export type RuleRecord = KpiRule;

export interface NewRule {
  ruleId: string;
  kpiCode: string;
  bucket: Bucket;
  scope: string | undefined;
  logicalGuid: string | undefined;
  channelCode: string | undefined;
  dimensions: object;
  measure: string;
  comparator: string;
  threshold: number;
  title: string | undefined;
  requestContext: object;
  reason: string;
  sourceRefs: object;
}

export interface RulePlace {
  createdAt: Date;
  ruleId: string;
}

@Injectable()
export class KpiRuleRepository {
  constructor(private readonly database: Database) {}

  count(tx: Tx, orgcode: string): Promise<number> {
    return tx.kpiRule.count({ where: { orgcode } });
  }

  /** Undefined where the organisation has one of that id. */
  async insert(tx: Tx, orgcode: string, rule: NewRule): Promise<RuleRecord | undefined> {
    const [record] = await tx.kpiRule.createManyAndReturn({
      data: [{ ...rule, orgcode } as Prisma.KpiRuleCreateManyInput],
      skipDuplicates: true,
    });
    return record;
  }

  find(db: Db, orgcode: string, ruleId: string): Promise<RuleRecord | null> {
    return db.kpiRule.findUnique({ where: { orgcode_ruleId: { orgcode, ruleId } } });
  }

  /** Locked, so that of two who change it one sees the other's revision. */
  async findForUpdate(tx: Tx, orgcode: string, ruleId: string): Promise<RuleRecord | null> {
    await tx.$queryRaw`select 1 from kpi_rule where orgcode = ${orgcode} and rule_id = ${ruleId} for update`;
    return this.find(tx, orgcode, ruleId);
  }

  /** The row must be locked and its revision compared. What should have come while it was paused is not missed. */
  setStatus(tx: Tx, orgcode: string, ruleId: string, status: KpiRuleStatus): Promise<RuleRecord> {
    return tx.kpiRule.update({
      where: { orgcode_ruleId: { orgcode, ruleId } },
      data: {
        status,
        revision: { increment: 1 },
        updatedAt: new Date(),
        ...(status === 'active' ? { watchesFrom: new Date() } : {}),
      },
    });
  }

  async delete(tx: Tx, orgcode: string, ruleId: string): Promise<void> {
    await tx.kpiRule.deleteMany({ where: { orgcode, ruleId } });
  }

  /** Those that watch these KPIs. */
  active(tx: Tx, orgcode: string, kpiCodes: readonly string[]): Promise<RuleRecord[]> {
    return tx.kpiRule.findMany({
      where: { orgcode, status: 'active', kpiCode: { in: [...kpiCodes] } },
      orderBy: { ruleNo: 'asc' },
    });
  }

  /** The same, for a picture of them. */
  activeOf(orgcode: string, kpiCode: string): Promise<RuleRecord[]> {
    return this.database.read(orgcode, (db) => db.kpiRule.findMany({ where: { orgcode, status: 'active', kpiCode } }));
  }

  /** Of all organisations: those that wait for buckets. In the order of their numbers, so that a round goes through all of them. */
  waiting(tx: SystemTx, after: bigint, limit: number): Promise<RuleRecord[]> {
    return tx.kpiRule.findMany({
      where: { measure: 'minutes_missing', status: 'active', ruleNo: { gt: after } },
      orderBy: { ruleNo: 'asc' },
      take: limit,
    });
  }

  /** Newest first. */
  page(
    orgcode: string,
    kpiCode: string | undefined,
    after: RulePlace | undefined,
    limit: number,
  ): Promise<RuleRecord[]> {
    return this.database.read(orgcode, (db) =>
      db.kpiRule.findMany({
        where: {
          orgcode,
          ...(kpiCode === undefined ? {} : { kpiCode }),
          ...(after === undefined
            ? {}
            : {
                OR: [
                  { createdAt: { lt: after.createdAt } },
                  { createdAt: after.createdAt, ruleId: { gt: after.ruleId } },
                ],
              }),
        },
        orderBy: [{ createdAt: 'desc' }, { ruleId: 'asc' }],
        take: limit,
      }),
    );
  }
}

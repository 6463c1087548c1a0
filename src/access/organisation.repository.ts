import { Injectable } from '@nestjs/common';
import type { Organisation } from '../generated/prisma/client.js';
import type { Db, SystemTx, Tx } from '../platform/database/transaction.js';

export type OrganisationRecord = Organisation;
export type OrganisationSettings = Partial<
  Pick<Organisation, 'caption' | 'timeZone' | 'weekStart' | 'catalogPolicy'>
> & {
  limits?: Record<string, number>;
};

@Injectable()
export class OrganisationRepository {
  find(db: Db, orgcode: string): Promise<OrganisationRecord | null> {
    return db.organisation.findUnique({ where: { orgcode } });
  }

  /** True if it is new. Two makers at once make one. */
  async insertIfNew(tx: Tx, orgcode: string): Promise<boolean> {
    const { count } = await tx.organisation.createMany({ data: { orgcode }, skipDuplicates: true });
    return count === 1;
  }

  async lock(tx: Tx, orgcode: string): Promise<void> {
    await tx.$queryRaw`select 1 from organisation where orgcode = ${orgcode} for update`;
  }

  /** The row must be locked and its revision compared. */
  update(tx: Tx, orgcode: string, settings: OrganisationSettings): Promise<OrganisationRecord> {
    return tx.organisation.update({
      where: { orgcode },
      data: {
        ...settings,
        ...(settings.catalogPolicy === undefined ? {} : { catalogVersion: { increment: 1 } }),
        revision: { increment: 1 },
        updatedAt: new Date(),
      },
    });
  }

  /** The limits of those that exist. */
  async limitsOf(tx: SystemTx, orgcodes: readonly string[]): Promise<Map<string, Record<string, number>>> {
    const found = await tx.organisation.findMany({
      where: { orgcode: { in: [...orgcodes] } },
      select: { orgcode: true, limits: true },
    });
    return new Map(found.map(({ orgcode, limits }) => [orgcode, limits as Record<string, number>]));
  }

  pageOfAll(tx: SystemTx, after: string, limit: number): Promise<OrganisationRecord[]> {
    return tx.organisation.findMany({ where: { orgcode: { gt: after } }, orderBy: { orgcode: 'asc' }, take: limit });
  }
}

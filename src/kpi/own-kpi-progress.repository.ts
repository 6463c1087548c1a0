import { Injectable } from '@nestjs/common';
import type { SystemTx, Tx } from '../platform/database/transaction.js';

export interface OwnProgress {
  doneTo: Date;
  /** The last event that was counted. */
  position: bigint;
}

/** Up to where IPM has told its own work as KPIs, for each organisation. */
@Injectable()
export class OwnKpiProgressRepository {
  /** Organisations with a log whose next hour is over since so many seconds, or who have no beginning yet. */
  async due(tx: SystemTx, after: string, graceSeconds: number, limit: number): Promise<string[]> {
    const rows = await tx.$queryRaw<{ orgcode: string }[]>`
      select h.orgcode from org_head h left join kpi_own_progress p on p.orgcode = h.orgcode and p.bucket = 'hourly'
      where h.orgcode > ${after}
        and (p.orgcode is null or p.done_to <= clock_timestamp() - interval '1 hour' - make_interval(secs => ${graceSeconds}))
      order by h.orgcode limit ${limit}`;
    return rows.map(({ orgcode }) => orgcode);
  }

  /** Locked to the commit, so that of two workers one tells an hour. */
  async take(tx: Tx, orgcode: string, bucket: 'hourly' | 'daily'): Promise<OwnProgress | undefined> {
    const [row] = await tx.$queryRaw<OwnProgress[]>`
      select done_to as "doneTo", position from kpi_own_progress where orgcode = ${orgcode} and bucket = ${bucket} for update`;
    return row;
  }

  /** Where there is none yet. */
  async begin(tx: Tx, orgcode: string, bucket: 'hourly' | 'daily', { doneTo, position }: OwnProgress): Promise<void> {
    await tx.$executeRaw`
      insert into kpi_own_progress (orgcode, bucket, done_to, position) values (${orgcode}, ${bucket}, ${doneTo}, ${position})
      on conflict do nothing`;
  }

  async move(tx: Tx, orgcode: string, bucket: 'hourly' | 'daily', { doneTo, position }: OwnProgress): Promise<void> {
    await tx.$executeRaw`
      update kpi_own_progress set done_to = ${doneTo}, position = ${position} where orgcode = ${orgcode} and bucket = ${bucket}`;
  }
}

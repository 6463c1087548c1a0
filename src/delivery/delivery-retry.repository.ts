import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/transaction.js';
import type { DeliveryKey } from './delivery-id.js';

export interface RetriedDelivery {
  status: string;
  webhookStatus: string;
  hasEvent: boolean;
}

/** What stands on a delivery that was retried by hand: it is sent once more, however old it is, and never by the schedule. */
const RETRIED = 'retried';

@Injectable()
export class DeliveryRetryRepository {
  /** Locked to the commit. */
  async lock(tx: Tx, orgcode: string, { lane, position, replayNo }: DeliveryKey): Promise<RetriedDelivery | undefined> {
    const [row] = await tx.$queryRaw<RetriedDelivery[]>`
      select d.status::text as status, w.status as "webhookStatus",
        exists (select from event e where e.orgcode = d.orgcode and e.position = d.position
          and e.position > (select coalesce(max(dropped_to), 0) from org_head h where h.orgcode = d.orgcode)) as "hasEvent"
      from delivery d join webhook w on w.orgcode = d.orgcode and w.lane = d.lane
      where d.orgcode = ${orgcode} and d.lane = ${lane} and d.position = ${position} and d.replay_no = ${replayNo}
      for update of d`;
    return row;
  }

  /** The number that an operator has replayed it under. The row must be locked, or somebody may be about to. */
  async replayedAs(tx: Tx, orgcode: string, { lane, position, replayNo }: DeliveryKey): Promise<number | undefined> {
    const [row] = await tx.$queryRaw<{ replayedAs: number }[]>`
      select replayed_as as "replayedAs" from dead_letter_mark
      where orgcode = ${orgcode} and lane = ${lane} and position = ${position} and replay_no = ${replayNo} and replayed_as is not null`;
    return row?.replayedAs;
  }

  /**
   * Due now, and dead no more: what operators marked is open again should it die once more, and their timeline tells of it. The row must
   * be locked. Workers that were lost with it before do not count again.
   */
  async schedule(tx: Tx, orgcode: string, { lane, position, replayNo }: DeliveryKey, actor: string): Promise<void> {
    await tx.$executeRaw`
      with again as (
        update delivery set status = 'scheduled', reason = ${RETRIED}, lost_with = 0
        where orgcode = ${orgcode} and lane = ${lane} and position = ${position} and replay_no = ${replayNo} and status = 'dead'
        returning lane, position, replay_no
      ), listed as (
        delete from delivery_dead x using again a
        where x.orgcode = ${orgcode} and x.lane = a.lane and x.position = a.position and x.replay_no = a.replay_no
      ), unmarked as (
        delete from dead_letter_mark x using again a
        where x.orgcode = ${orgcode} and x.lane = a.lane and x.position = a.position and x.replay_no = a.replay_no
      ), told as (
        insert into dead_letter_act (orgcode, lane, position, replay_no, act, actor)
        select ${orgcode}, lane, position, replay_no, 'retried_by_hand', ${actor} from again
      )
      insert into delivery_due (orgcode, lane, due_at, position, replay_no)
      select ${orgcode}, lane, clock_timestamp(), position, replay_no from again`;
  }
}

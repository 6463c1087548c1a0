import { Injectable } from '@nestjs/common';
import type { DeliveryKey } from '../delivery/delivery-reading.service.js';
import type { Tx } from '../platform/database/transaction.js';
import type { ActRow } from './dead-letter.repository.js';

/** What operators do with dead letters, in the transaction of the organisation that they belong to. */
@Injectable()
export class DeadLetterActRepository {
  /**
   * To the commit. It is a statement of its own because who waited for it must look at what the other has written, and a statement sees
   * what there was when it began.
   */
  async lock(tx: Tx, orgcode: string, { lane, position, replayNo }: DeliveryKey): Promise<boolean> {
    const rows = await tx.$queryRaw<object[]>`
      select 1 as locked from delivery where orgcode = ${orgcode} and lane = ${lane} and position = ${position} and replay_no = ${replayNo} for update`;
    return rows.length > 0;
  }

  /** The number of the new delivery; undefined where there is one. It must be locked. */
  async replay(
    tx: Tx,
    orgcode: string,
    { lane, position, replayNo }: DeliveryKey,
    bulkActId: string | undefined,
  ): Promise<number | undefined> {
    const [row] = await tx.$queryRaw<{ number: number | null }[]>`
      select ipm_replay_dead_letter(${orgcode}, ${lane}, ${position}, ${replayNo}::integer, ${bulkActId ?? null}::uuid) as number`;
    return row?.number ?? undefined;
  }

  /** False where an operator was there before. */
  async acknowledge(
    tx: Tx,
    orgcode: string,
    { lane, position, replayNo }: DeliveryKey,
    bulkActId: string | undefined,
  ): Promise<boolean> {
    const count = await tx.$executeRaw`
      insert into dead_letter_mark (orgcode, lane, position, replay_no, status, bulk_act_id)
      values (${orgcode}, ${lane}, ${position}, ${replayNo}, 'acknowledged', ${bulkActId ?? null}::uuid) on conflict do nothing`;
    return count > 0;
  }

  async note(
    tx: Tx,
    orgcode: string,
    { lane, position, replayNo }: DeliveryKey,
    { act, actor, payload }: Pick<ActRow, 'act' | 'actor' | 'payload'>,
  ): Promise<void> {
    await tx.$executeRaw`
      insert into dead_letter_act (orgcode, lane, position, replay_no, act, actor, payload)
      values (${orgcode}, ${lane}, ${position}, ${replayNo}, ${act}, ${actor}, ${JSON.stringify(payload)}::jsonb)`;
  }
}

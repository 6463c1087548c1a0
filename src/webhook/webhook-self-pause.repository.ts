import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/transaction.js';

/** The step to `paused` that nobody asked for. What is known of failures stays, so that it can be seen. */
@Injectable()
export class WebhookSelfPauseRepository {
  /** Its revision before, locked; undefined where it is not active, or was set active anew in the meantime. */
  async lockActive(tx: Tx, orgcode: string, webhookId: string, activation: number): Promise<bigint | undefined> {
    const [row] = await tx.$queryRaw<{ revision: bigint }[]>`
      select revision from webhook where orgcode = ${orgcode} and webhook_id = ${webhookId} and status = 'active'
        and activation = ${activation} for update`;
    return row?.revision;
  }

  async pause(tx: Tx, orgcode: string, webhookId: string, pausedAfter: bigint, reason: string): Promise<void> {
    await tx.$executeRaw`
      update webhook set status = 'paused', paused_after = ${pausedAfter}, paused_at = clock_timestamp(), status_reason = ${reason},
        status_request_context = null, status_source_refs = '[]', updated_at = clock_timestamp(), revision = revision + 1
      where orgcode = ${orgcode} and webhook_id = ${webhookId}`;
  }
}

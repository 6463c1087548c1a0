import { Injectable } from '@nestjs/common';
import { Prisma } from '../generated/prisma/client.js';
import type { SystemTx, Tx } from '../platform/database/transaction.js';

/** A webhook by what names it. */
export interface SealedWebhook {
  orgcode: string;
  webhookId: string;
}

/** What is sealed of a webhook; null where it has none. */
export interface WebhookSeals {
  secretSealed: string;
  previousSecretSealed: string | null;
  headersSealed: string | null;
}

/** What is sealed of webhooks, as keys are rotated under it. */
@Injectable()
export class WebhookSealRepository {
  /** Those after one of which something was sealed by another key: whose text begins otherwise. */
  sealedOtherwise(tx: SystemTx, seal: string, after: SealedWebhook, limit: number): Promise<SealedWebhook[]> {
    const isOther = (column: string): Prisma.Sql => Prisma.sql`not starts_with(${Prisma.raw(column)}, ${seal})`;
    return tx.$queryRaw`
      select orgcode, webhook_id as "webhookId" from webhook
      where (orgcode, webhook_id) > (${after.orgcode}, ${after.webhookId})
        and (${isOther('secret_sealed')} or ${isOther('previous_secret_sealed')} or ${isOther('headers_sealed')})
      order by orgcode, webhook_id limit ${limit}`;
  }

  /** Locked to the commit, so that a secret that is rotated meanwhile is not put back. */
  async lock(tx: Tx, { orgcode, webhookId }: SealedWebhook): Promise<WebhookSeals | undefined> {
    const [row] = await tx.$queryRaw<WebhookSeals[]>`
      select secret_sealed as "secretSealed", previous_secret_sealed as "previousSecretSealed", headers_sealed as "headersSealed"
      from webhook where orgcode = ${orgcode} and webhook_id = ${webhookId} for update`;
    return row;
  }

  /** Nothing that anybody sees of the webhook changes, so its revision stays. */
  async keep(tx: Tx, { orgcode, webhookId }: SealedWebhook, seals: WebhookSeals): Promise<void> {
    const { secretSealed, previousSecretSealed, headersSealed } = seals;
    await tx.$executeRaw`
      update webhook set secret_sealed = ${secretSealed}, previous_secret_sealed = ${previousSecretSealed}, headers_sealed = ${headersSealed}
      where orgcode = ${orgcode} and webhook_id = ${webhookId}`;
  }
}

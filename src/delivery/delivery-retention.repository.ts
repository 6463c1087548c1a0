import { Injectable } from '@nestjs/common';
import type { SystemTx } from '../platform/database/transaction.js';

@Injectable()
export class DeliveryRetentionRepository {
  /** Some of those whose events are dropped; how many. */
  async prune(tx: SystemTx, atMost: number, tallyDays: number): Promise<number> {
    const [row] = await tx.$queryRaw<{ pruned: bigint }[]>`
      select ipm_prune_deliveries(${atMost}::integer, ${tallyDays}::integer) as pruned`;
    return Number(row?.pruned ?? 0n);
  }
}

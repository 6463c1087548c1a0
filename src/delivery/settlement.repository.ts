import { Injectable } from '@nestjs/common';
import { Prisma } from '../generated/prisma/client.js';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/transaction.js';
import type { DeliveryKey, LeasedDelivery } from './leased-delivery.js';

/** What an attempt came to. Without one the delivery was given back unsent. */
export interface AttemptResult {
  httpStatus: number | null;
  durationMs: number;
  errorTag: string | null;
  excerpt: string | null;
}

export interface Delivered {
  delivery: LeasedDelivery;
  attempt: AttemptResult;
}

export interface Waiting {
  delivery: LeasedDelivery;
  attempt: AttemptResult | undefined;
  afterMs: number;
  /** The next of its key may go before it. */
  letsPass: boolean;
}

export interface Dead {
  delivery: LeasedDelivery;
  attempt: AttemptResult | undefined;
  errorTag: string;
  reason: string;
}

/** The writing end of results: by key and fence, so that who comes late changes nothing. */
@Injectable()
export class SettlementRepository {
  constructor(private readonly database: Database) {}

  /** How many were still ours. */
  delivered(results: readonly Delivered[], finished: readonly bigint[]): Promise<number> {
    return this.settle(
      'ipm_settle_delivered($1::bigint[], $2::bigint[], $3::integer[], $4::bigint[], $5::smallint[], $6::smallint[], $7::integer[], $8, $9::bigint[])',
      [
        ...keysOf(results),
        results.map(({ delivery }) => delivery.attempts + 1),
        results.map(({ attempt }) => attempt.httpStatus),
        results.map(({ attempt }) => attempt.durationMs),
        results.some(({ delivery }) => delivery.isOrdered),
        finished,
      ],
    );
  }

  waiting(results: readonly Waiting[], finished: readonly bigint[]): Promise<number> {
    return this.settle(
      'ipm_settle_waiting($1::bigint[], $2::bigint[], $3::integer[], $4::bigint[], $5::smallint[], $6::smallint[], $7::integer[], $8::text[], $9::text[], $10::bigint[], $11::boolean[], $12::bigint[])',
      [
        ...keysOf(results),
        results.map(({ delivery, attempt }) => delivery.attempts + (attempt ? 1 : 0)),
        results.map(({ attempt }) => attempt?.httpStatus ?? null),
        results.map(({ attempt }) => attempt?.durationMs ?? null),
        results.map(({ attempt }) => attempt?.errorTag ?? null),
        results.map(({ attempt }) => attempt?.excerpt ?? null),
        results.map(({ afterMs }) => Math.ceil(afterMs)),
        results.map(({ letsPass }) => letsPass),
        finished,
      ],
    );
  }

  /** In the organisation's transaction, with what is told of it. Answers those that were still ours. */
  async dead(tx: Tx, orgcode: string, results: readonly Dead[]): Promise<DeliveryKey[]> {
    const [lanes, positions, replayNos, fences] = keysOf(results);
    const settled = await tx.$queryRaw<DeliveryKey[]>(Prisma.sql`
      select lane, position, "replayNo" from ipm_settle_dead(${orgcode}, ${lanes}::bigint[], ${positions}::bigint[],
        ${replayNos}::integer[], ${fences}::bigint[],
        ${results.map(({ delivery, attempt }) => delivery.attempts + (attempt ? 1 : 0))}::smallint[],
        ${results.map(({ attempt }) => attempt?.httpStatus ?? null)}::smallint[],
        ${results.map(({ attempt }) => attempt?.durationMs ?? null)}::integer[],
        ${results.map(({ errorTag }) => errorTag)}::text[],
        ${results.map(({ attempt }) => attempt?.excerpt ?? null)}::text[],
        ${results.map(({ reason }) => reason)}::text[])`);
    const ordered = results.filter(({ delivery }) => delivery.isOrdered);
    if (ordered.length > 0) await this.freeKeys(tx, settled);
    return settled;
  }

  private async freeKeys(tx: Tx, settled: readonly DeliveryKey[]): Promise<void> {
    await tx.$queryRaw`
      select ipm_free_keys(array_agg(d.lane), array_agg(d.position), array_agg(d.replay_no), array_agg(d.ordering_key))::text
      from unnest(${settled.map(({ lane }) => lane)}::bigint[], ${settled.map(({ position }) => position)}::bigint[],
        ${settled.map(({ replayNo }) => replayNo)}::integer[]) as u(lane, position, replay_no)
      join delivery d using (lane, position, replay_no) where d.ordering_key is not null`;
  }

  private async settle(call: string, values: unknown[]): Promise<number> {
    const [row] = await this.database.callAcross<{ r: bigint }>('delivery', { name: call.slice(0, 20), call, values });
    return Number(row?.r ?? 0n);
  }
}

function keysOf(results: readonly { delivery: LeasedDelivery }[]): [bigint[], bigint[], number[], bigint[]] {
  return [
    results.map(({ delivery }) => delivery.lane),
    results.map(({ delivery }) => delivery.position),
    results.map(({ delivery }) => delivery.replayNo),
    results.map(({ delivery }) => delivery.lease.fence),
  ];
}

import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { Db, PlainTx, Tx } from '../platform/database/transaction.js';
import { Prisma, type WebhookReplay as ReplayRecord } from '../generated/prisma/client.js';

export type { ReplayRecord };

export interface NewReplay {
  replayId: string;
  webhookId: string;
  lane: bigint;
  only: string;
  service: string | null;
  fromUtc: string | null;
  toUtc: string;
  rate: number;
  reason: string;
}

export interface OpenReplay {
  orgcode: string;
  replayId: string;
}

/** Replays that are operation runs. */
@Injectable()
export class ReplayRepository {
  constructor(private readonly database: Database) {}

  /** Undefined where the id is taken, or the webhook has one at work. */
  async insert(tx: Tx, orgcode: string, replay: NewReplay): Promise<ReplayRecord | undefined> {
    const { count } = await tx.webhookReplay.createMany({ data: { ...replay, orgcode }, skipDuplicates: true });
    return count === 0 ? undefined : ((await this.find(tx, orgcode, replay.replayId)) ?? undefined);
  }

  find(db: Db, orgcode: string, replayId: string): Promise<ReplayRecord | null> {
    return db.webhookReplay.findUnique({ where: { orgcode_replayId: { orgcode, replayId } } });
  }

  noteRun(tx: Tx, orgcode: string, replayId: string, operationRunId: number): Promise<ReplayRecord> {
    return tx.webhookReplay.update({ where: { orgcode_replayId: { orgcode, replayId } }, data: { operationRunId } });
  }

  async askToCancel(tx: Tx, orgcode: string, replayId: string): Promise<void> {
    await tx.webhookReplay.updateMany({
      where: { orgcode, replayId, status: { not: 'completed' } },
      data: { cancelAsked: true, updatedAt: new Date() },
    });
  }

  complete(
    tx: Tx,
    orgcode: string,
    replayId: string,
    end: { outcome: string; operationRunId: number },
  ): Promise<ReplayRecord> {
    return tx.webhookReplay.update({
      where: { orgcode_replayId: { orgcode, replayId } },
      data: { ...end, status: 'completed', updatedAt: new Date() },
    });
  }

  open(atMost: number): Promise<OpenReplay[]> {
    return this.database.plainAcross('delivery', (tx) =>
      tx.rows(
        'replays open',
        `select orgcode, replay_id as "replayId" from webhook_replay where status <> 'completed' order by lane limit $1`,
        [atMost],
      ),
    );
  }

  read({ orgcode, replayId }: OpenReplay): Promise<ReplayRecord | null> {
    return this.database.read(orgcode, (db) => this.find(db, orgcode, replayId));
  }

  async keep({ orgcode, replayId }: OpenReplay, change: Prisma.WebhookReplayUpdateInput): Promise<ReplayRecord> {
    return this.database.transaction(orgcode, (tx) =>
      tx.webhookReplay.update({
        where: { orgcode_replayId: { orgcode, replayId } },
        data: { ...change, updatedAt: new Date() },
      }),
    );
  }

  /** Into the queue, with the progress in the same transaction: a worker that is lost leaves none out and sends none twice. */
  async queue({ orgcode, replayId, lane }: ReplayRecord, positions: readonly bigint[], sentTo: bigint): Promise<void> {
    await this.database.plainAcross('delivery', async (tx) => {
      if (positions.length > 0)
        await tx.rows(
          'replay queue',
          `insert into webhook_replay_item (orgcode, replay_id, lane, position, replay_no)
           select $1, $2, $3, r.position, r."replayNo" from ipm_insert_replays($1, $3, $4::bigint[], false, 0, '') r`,
          [orgcode, replayId, lane, positions],
        );
      await tx.rows(
        'replay progress',
        'update webhook_replay set sent_to = $3, queued = queued + $4, updated_at = clock_timestamp() where orgcode = $1 and replay_id = $2',
        [orgcode, replayId, sentTo, positions.length],
      );
    });
  }

  /** Of some positions those whose deliveries are all dead, or of which none was delivered. */
  async only(lane: bigint, only: string, positions: readonly bigint[]): Promise<Set<bigint>> {
    if (only === 'all' || positions.length === 0) return new Set(positions);
    const rows = await this.database.plainAcross('delivery', (tx) => this.chosen(tx, lane, only, positions));
    return new Set(rows.map(({ position }) => position));
  }

  /** Counts what has come to its end since the last time; how many have not. */
  async tally({ orgcode, replayId }: OpenReplay): Promise<number> {
    const [row] = await this.database.callAcross<{ r: bigint }>('delivery', {
      name: 'replay tally',
      call: 'ipm_tally_replay($1, $2)',
      values: [orgcode, replayId],
    });
    return Number(row?.r ?? 0n);
  }

  private chosen(
    tx: PlainTx,
    lane: bigint,
    only: string,
    positions: readonly bigint[],
  ): Promise<{ position: bigint }[]> {
    const wanted =
      only === 'failed'
        ? `bool_or(d.status = 'dead') and not bool_or(d.status = 'delivered')`
        : `not coalesce(bool_or(d.status = 'delivered'), false)`;
    return tx.rows(
      `replay only ${only}`,
      `select u.position from unnest($2::bigint[]) as u(position) left join delivery d on d.lane = $1 and d.position = u.position
       group by u.position having ${wanted}`,
      [lane, positions],
    );
  }
}

import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { PlainTx, Tx } from '../platform/database/transaction.js';
import type { Gap } from '../webhook/webhook-gaps.dto.js';

export interface Lagging {
  orgcode: string;
  webhookId: string;
  lane: bigint;
}

export interface Backlog {
  status: string;
  ordering: 'parallel' | 'key';
  gaps: Gap[];
  /** What was worked off and is not told of yet. */
  caughtUp: Gap | null;
}

type Left = Pick<Backlog, 'gaps' | 'caughtUp'>;

/** What webhooks missed while they were paused, and how far it is made good. */
@Injectable()
export class CatchUpRepository {
  constructor(private readonly database: Database) {}

  lagging(atMost: number): Promise<Lagging[]> {
    return this.database.plainAcross('delivery', (tx) =>
      tx.rows(
        'webhooks lagging',
        `select orgcode, webhook_id as "webhookId", lane from webhook
         where status = 'active' and (gaps <> '[]' or caught_up is not null) order by lane limit $1`,
        [atMost],
      ),
    );
  }

  /** One, whatever it has missed; undefined where there is none of that name. */
  async find(orgcode: string, webhookId: string): Promise<(Lagging & Left) | undefined> {
    const [row] = await this.database.plainAcross('delivery', (tx) =>
      tx.rows<Lagging & Left>(
        'webhook lagging',
        'select orgcode, webhook_id as "webhookId", lane, gaps, caught_up as "caughtUp" from webhook where orgcode = $1 and webhook_id = $2',
        [orgcode, webhookId],
      ),
    );
    return row;
  }

  /** Locked to the commit: pausing and catching up do not meet. */
  async lock(tx: PlainTx, { orgcode, webhookId }: Lagging): Promise<Backlog | undefined> {
    const [row] = await tx.rows<Backlog>(
      'webhook backlog',
      'select status, ordering, gaps, caught_up as "caughtUp" from webhook where orgcode = $1 and webhook_id = $2 for update',
      [orgcode, webhookId],
    );
    return row;
  }

  async keep(
    tx: PlainTx,
    { orgcode, webhookId }: Lagging,
    { gaps, caughtUp }: { gaps: Gap[]; caughtUp: Gap },
  ): Promise<void> {
    await tx.rows(
      'webhook gaps',
      'update webhook set gaps = $3, caught_up = $4 where orgcode = $1 and webhook_id = $2',
      [orgcode, webhookId, JSON.stringify(gaps), JSON.stringify(caughtUp)],
    );
  }

  /** That this stretch is told of. False where somebody has told of it, or has gone on. */
  async told(tx: Tx, { orgcode, webhookId }: Lagging, caughtUp: Gap): Promise<boolean> {
    const count = await tx.$executeRaw`
      update webhook set caught_up = null
      where orgcode = ${orgcode} and webhook_id = ${webhookId} and caught_up = ${JSON.stringify(caughtUp)}::jsonb`;
    return count === 1;
  }

  /** Who keeps the organisation's webhooks in memory reads them anew: one that keeps an order is live when nothing is left. */
  async bump(tx: PlainTx, orgcode: string): Promise<void> {
    await tx.rows(
      'webhook bump',
      `insert into webhook_roll as r (orgcode, version) values ($1, 1) on conflict (orgcode) do update set version = r.version + 1`,
      [orgcode],
    );
  }

  /** What waits for that lane, counted up to a bound. */
  async waiting(lane: bigint, upTo: number): Promise<number> {
    const [row] = await this.database.plainAcross('delivery', (tx) =>
      tx.rows<{ count: bigint }>(
        'lane waiting',
        `select (select count(*) from (select from delivery_due where lane = $1 limit $2) d)
           + (select count(*) from (select from delivery_waiting where lane = $1 limit $2) w) as count`,
        [lane, upTo],
      ),
    );
    return Number(row?.count ?? 0n);
  }

  /** What became of the deliveries of a stretch of the log. */
  async outcome(lane: bigint, { after, to }: Gap): Promise<{ untried: number; delivered: number; dead: number }> {
    const [row] = await this.database.plainAcross('delivery', (tx) =>
      tx.rows<{ untried: number; delivered: number; dead: number }>(
        'lane outcome',
        `select count(*) filter (where attempts = 0 and status in ('scheduled', 'sending'))::int as untried,
           count(*) filter (where status = 'delivered')::int as delivered, count(*) filter (where status = 'dead')::int as dead
         from delivery where lane = $1 and position > $2 and position <= $3 and replay_no = 0`,
        [lane, after, to],
      ),
    );
    return row ?? { untried: 0, delivered: 0, dead: 0 };
  }
}

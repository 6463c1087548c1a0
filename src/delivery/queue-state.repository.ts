import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';

export interface QueueFigures {
  due: number;
  oldestSeconds: number;
  leases: number;
  behind: number;
  lagSeconds: number;
}

const COUNTED_UP_TO = 100_000;
const FRESH_MS = 5_000;

/** How much waits, over all organisations. */
@Injectable()
export class QueueState {
  private last: { atMs: number; figures: Promise<QueueFigures> } | undefined;

  constructor(private readonly database: Database) {}

  /** Some seconds old at most; asked for once, however many want it. */
  figures(): Promise<QueueFigures> {
    if (this.last && performance.now() - this.last.atMs < FRESH_MS) return this.last.figures;
    const figures = this.read();
    this.last = { atMs: performance.now(), figures };
    figures.catch(() => (this.last = undefined));
    return figures;
  }

  private async read(): Promise<QueueFigures> {
    const [row] = await this.database.plainAcross('delivery', (tx) =>
      tx.rows<QueueFigures>(
        'queue state',
        `select
           (select count(*)::int from (select from delivery_due where due_at <= clock_timestamp() limit $1) d) as due,
           (select coalesce(extract(epoch from clock_timestamp() - min(due_at)), 0)::float8
              from (select due_at from delivery_due where due_at <= clock_timestamp() limit $1) d) as "oldestSeconds",
           (select count(*)::int from delivery_lease) as leases,
           (select count(*)::int from router_cursor c join org_head h using (orgcode) where h.position > c.position) as behind,
           (select coalesce(max(extract(epoch from clock_timestamp() - h.appended_at)), 0)::float8
              from router_cursor c join org_head h using (orgcode) where h.position > c.position) as "lagSeconds"`,
        [COUNTED_UP_TO],
      ),
    );
    if (!row) throw new Error('the queue said nothing');
    return row;
  }
}

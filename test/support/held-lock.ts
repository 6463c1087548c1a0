import pg from 'pg';
import type { TestDatabase } from './database.js';

const WAITS_WITHIN_MS = 5_000;

/** A transaction of somebody else, held open by a spec. */
export class HeldLock {
  private constructor(private readonly client: pg.Client) {}

  /** Runs the statement, such as `select … for update`, and keeps its locks. */
  static async take(database: TestDatabase, sql: string, values: unknown[] = []): Promise<HeldLock> {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    client.on('error', () => undefined); // the database may be dropped, or the connection killed, under it
    await client.query('begin');
    await client.query(sql, values);
    return new HeldLock(client);
  }

  async release(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }
}

/** Waits until so many connections of the product wait for a lock, and answers the process id of one. */
export async function waiterOf(database: TestDatabase, count = 1): Promise<number> {
  const until = Date.now() + WAITS_WITHIN_MS;
  while (Date.now() < until) {
    const waiters = await database.asOwner<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    const [waiter] = waiters;
    if (waiter && waiters.length >= count) return waiter.pid;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('nobody waits for a lock');
}

import pg from 'pg';

/** What Postgres has written and how many transactions wrote something, between two looks. */
export class PostgresMeter {
  #client;
  #last;

  static async on(connectionString) {
    const meter = new PostgresMeter();
    meter.#client = new pg.Client({ connectionString });
    await meter.#client.connect();
    await meter.since();
    return meter;
  }

  /** Since the last call. */
  async since() {
    const { rows } = await this.#client.query(
      `select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8 as wal, pg_snapshot_xmax(pg_current_snapshot())::text::float8 as xid`,
    );
    const [now] = rows;
    const last = this.#last ?? now;
    this.#last = now;
    return { walBytes: now.wal - last.wal, transactions: now.xid - last.xid };
  }

  end() {
    return this.#client.end();
  }
}

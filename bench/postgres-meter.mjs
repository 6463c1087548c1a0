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

  /** Row versions written so far, by table, of the tables whose names match. Sessions tell of theirs when they end, or after seconds. */
  async rows(like) {
    const { rows } = await this.#client.query(
      `select relname as name, n_tup_ins::float8 as inserted, n_tup_upd::float8 as updated, n_tup_del::float8 as deleted
       from pg_stat_user_tables where relname ~ $1`,
      [like],
    );
    return new Map(rows.map(({ name, inserted, updated, deleted }) => [name, inserted + updated + deleted]));
  }

  /** What Postgres would do by itself at some time, done now. */
  async tidyUp() {
    await this.#client.query('vacuum (analyze)');
    await this.#client.query('checkpoint');
  }

  /** The one row of a question. */
  async ask(question) {
    const { rows } = await this.#client.query(question);
    return rows[0];
  }

  end() {
    return this.#client.end();
  }
}

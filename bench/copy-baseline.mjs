import { realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { ORGCODE } from './ipm-server.mjs';

const ROWS = 100_000;

/** COPY of rows that IPM has stored, from files of the server, into tables of the same shape with the same indexes. */
export class CopyBaseline {
  #client;
  #events;
  #keys;

  /** The log holds rows by now. */
  static async prepare(stores, databaseUrl) {
    const baseline = new CopyBaseline();
    await baseline.#prepare(realpathSync(stores.cluster), databaseUrl);
    return baseline;
  }

  async #prepare(folder, connectionString) {
    this.#events = path.join(folder, 'bench-events.txt');
    this.#keys = path.join(folder, 'bench-keys.txt');
    this.#client = new pg.Client({ connectionString });
    await this.#client.connect();
    await this.#client.query('drop schema if exists copied cascade; create schema copied');
    const [{ name }] = (await this.#client.query('select name from event_partition limit 1')).rows;
    await this.#client.query(`create table copied.event (like ${name} including all)`);
    await this.#client.query('create table copied.event_key (like event_key including all)');
    await this.#write('event', this.#events);
    await this.#write('event_key', this.#keys);
  }

  async #write(table, file) {
    await this.#client.query(
      `copy (select * from ${table} where orgcode = '${ORGCODE}' order by position desc limit ${ROWS}) to '${file}'`,
    );
  }

  /** Rows a second, log and ledger together, in transactions of 100,000. */
  async run(seconds) {
    let [rows, spentMs] = [0, 0];
    while (spentMs < seconds * 1000) {
      await this.#client.query('truncate copied.event, copied.event_key');
      const begun = performance.now();
      await this.#client.query('begin');
      const { rowCount } = await this.#client.query(`copy copied.event from '${this.#events}'`);
      await this.#client.query(`copy copied.event_key from '${this.#keys}'`);
      await this.#client.query('commit');
      spentMs += performance.now() - begun;
      rows += rowCount;
    }
    return (rows / spentMs) * 1000;
  }

  async end() {
    await this.#client.query('drop schema copied cascade');
    await this.#client.end();
    for (const file of [this.#events, this.#keys]) rmSync(file, { force: true });
  }
}

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import pg from 'pg';
import { ORGCODE } from './ipm-server.mjs';

const ROWS = 100_000;
const ROWS_A_FETCH = 2_000;

/** The same events by a plain cursor into a file, a line each, by a program that does nothing else. */
export class SelectBaseline {
  #client;

  static async on(connectionString) {
    const baseline = new SelectBaseline();
    baseline.#client = new pg.Client({ connectionString });
    await baseline.#client.connect();
    return baseline;
  }

  /** Rows a second. */
  async run(file) {
    const output = createWriteStream(file);
    const begun = performance.now();
    await this.#client.query('begin');
    await this.#client.query(
      `declare rows cursor for select envelope from event where orgcode = '${ORGCODE}' order by position limit ${ROWS}`,
    );
    let rows = 0;
    for (;;) {
      const fetched = (await this.#client.query(`fetch ${ROWS_A_FETCH} from rows`)).rows;
      if (fetched.length === 0) break;
      if (!output.write(fetched.map(({ envelope }) => `${envelope}\n`).join(''))) await once(output, 'drain');
      rows += fetched.length;
    }
    await this.#client.query('commit');
    output.end();
    await once(output, 'close');
    return (rows / (performance.now() - begun)) * 1000;
  }

  end() {
    return this.#client.end();
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Ledger } from './ledger.js';
import type { Random } from './random.js';
import type { SaidEvent } from './said-event.js';

export interface SqlWriterOptions {
  databaseUrl: string;
  orgcode: string;
  ledger: Ledger;
  random: Random;
  /** How long its transactions may stay open after the append. */
  maxSleepMs: number;
}

const APPEND = `select event_id, position::text, duplicate from unnest($2::text[]) with ordinality as given (event_id, n)
  join ipm_append($1, null, interval '1 day', $2, $3, $4, $5, array_fill(null::text, array[cardinality($2)]),
    array_fill(null::text, array[cardinality($2)]), $6) using (n)`;

/** Appends as the product does inside a transaction of something else, which takes its time to commit or is undone. */
export class SqlWriter {
  private constructor(
    private readonly client: pg.Client,
    private readonly options: SqlWriterOptions,
  ) {}

  static async connect(options: SqlWriterOptions): Promise<SqlWriter> {
    const client = new pg.Client({ connectionString: options.databaseUrl });
    await client.connect();
    await client.query('set role ipm_app');
    return new SqlWriter(client, options);
  }

  async say(events: readonly SaidEvent[]): Promise<void> {
    const { orgcode, ledger, random, maxSleepMs } = this.options;
    ledger.says(orgcode, events);
    await this.client.query('begin');
    await this.client.query(`select set_config('ipm.orgcode', $1, true)`, [orgcode]);
    await sleep(random.between(0, maxSleepMs));
    const { rows } = await this.client.query<{ event_id: string; position: string; duplicate: boolean }>(APPEND, [
      orgcode,
      ...columnsOf(orgcode, events),
    ]);
    await sleep(random.between(0, maxSleepMs));
    if (random.happens(0.15)) {
      await this.client.query('rollback');
      ledger.takesBack(orgcode, events);
      return;
    }
    await this.client.query('commit');
    for (const { event_id, position, duplicate } of rows)
      ledger.hears(orgcode, event_id, { status: duplicate ? 'duplicate' : 'accepted', position: BigInt(position) });
  }

  async close(): Promise<void> {
    await this.client.end();
  }
}

function columnsOf(orgcode: string, events: readonly SaidEvent[]): string[][] {
  const all = events as readonly (SaidEvent & { service: string; action: string })[];
  return [
    all.map(({ event_id }) => event_id),
    all.map(({ occurred_at }) => occurred_at),
    all.map(({ service }) => service),
    all.map(({ action }) => action),
    all.map((event) => JSON.stringify({ ...event, orgcode, origin: 'publish' })),
  ];
}

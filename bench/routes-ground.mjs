import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { insertEndedJobs, JobStock } from './bulk-jobs.mjs';
import { CountingSink } from './counting-sink.mjs';
import { LOOPBACK_ALLOWED } from './delivery-ground.mjs';
import { call, organisations, startIpm } from './ipm-server.mjs';
import { fillKpis } from './kpi-ground.mjs';
import { OTHER_ORGCODES } from './seed-layout.mjs';
import { insertWebhooks } from './webhook-rows.mjs';

const FIGURES = 1_000_000;
const IDLE_WITHIN_MS = 300_000;
const LOOK_EVERY_MS = 200;

/** A worker begins jobs twice a second, as many as it has hands: with two of them the jobs of one route would take minutes. */
const ENVIRONMENT = {
  ...LOOPBACK_ALLOWED,
  RATE_LIMIT_BULK_PER_MIN: '100000000',
  BULK_JOBS_PER_WORKER: '32',
  BULK_JOBS_PER_ORGANISATION: '2',
};

/** What an earlier bench left in a kept store: its secrets are sealed with keys, and its files were in a folder, that are gone. */
const LEFT_BEHIND = [
  `truncate webhook, webhook_health, webhook_roll, webhook_replay, webhook_replay_item, router_cursor, delivery, delivery_attempt,
     delivery_due, delivery_lease, delivery_dead, delivery_key, delivery_waiting, delivery_tally`,
  'truncate bulk_job, bulk_error, kpi_alert',
  `delete from operation_run where type in ('bulk_import', 'bulk_export') and status <> 'completed'`, // of jobs that are gone
  `delete from event_hold where holder like 'bulk export %'`,
  `delete from kpi_snapshot f using kpi_series s where f.orgcode = s.orgcode and f.series = s.series and s.kpi_code = 'written'`,
];

/** Or the server would count the seeded events, hour by hour and organisation by organisation, while it is measured. */
const OWN_KPIS_TOLD = `insert into kpi_own_progress (orgcode, bucket, done_to, position)
  select h.orgcode, b.bucket, date_trunc(b.unit, clock_timestamp(), 'UTC'), h.position
  from org_head h cross join (values ('hourly', 'hour'), ('daily', 'day')) as b(bucket, unit)
  on conflict (orgcode, bucket) do update set done_to = excluded.done_to, position = excluded.position`;

const OPEN = `select (select count(*) from bulk_job where status in ('queued', 'running'))
  + (select count(*) from delivery_lease) + (select count(*) from delivery_due)
  + (select count(*) from webhook where status = 'active' and gaps <> '[]')
  + (select count(*) from router_cursor c join org_head h using (orgcode) where h.position > c.position) as open`;

/** A seeded store with figures, webhooks and jobs, a server on it with its limits lifted, and a sink. */
export class RoutesGround {
  static async on(stores, layout, { nodeArgs = [] }, progress) {
    const ground = new RoutesGround();
    ground.layout = layout;
    ground.sink = await CountingSink.start();
    try {
      await ground.#fill(stores, nodeArgs, progress);
      return ground;
    } catch (error) {
      await ground.end();
      throw error;
    }
  }

  async #fill(stores, nodeArgs, progress) {
    this.client = new pg.Client({ connectionString: await stores.database('ipm') });
    await this.client.connect();
    for (const statement of [...LEFT_BEHIND, OWN_KPIS_TOLD]) await this.client.query(statement);
    this.ipm = await startIpm(stores, { environment: ENVIRONMENT, nodeArgs });
    this.kpis = await fillKpis(this.ipm.databaseUrl, FIGURES);
    this.webhooks = await insertWebhooks(this.client, this.ipm, (number) => this.sink.urlOf(number));
    this.endedJobs = await insertEndedJobs(this.client);
    this.neighbours = await organisations(this.ipm, OTHER_ORGCODES, 'integration_admin');
    this.jobs = new JobStock(this);
    progress(`${this.kpis.figures} figures, ${this.webhooks} webhooks, ${this.endedJobs} jobs`);
  }

  /** Headers of the other organisations in turn. */
  neighbour(i) {
    return this.neighbours[i % this.neighbours.length];
  }

  /** Bodies that ask for so many pages of a list, one after the other. */
  async pagesOf(operation, body, pages) {
    const bodies = [body];
    while (bodies.length < pages) {
      const { data } = JSON.parse(await call(this.ipm, operation, bodies.at(-1)));
      if (data.next_token === undefined)
        throw new Error(`${operation} has only ${bodies.length} pages of ${JSON.stringify(body)}`);
      bodies.push({ ...body, next_token: data.next_token });
    }
    return bodies;
  }

  /** Until no job waits or runs, no delivery is under way, and every event has been routed and caught up with. */
  async untilIdle() {
    const deadlineMs = performance.now() + IDLE_WITHIN_MS;
    for (;;) {
      const { rows } = await this.client.query(OPEN);
      const open = Number(rows[0].open);
      if (open === 0) return;
      if (performance.now() > deadlineMs)
        throw new Error(`after ${IDLE_WITHIN_MS / 1000} s ${open} jobs, deliveries and logs are still at work`);
      await sleep(LOOK_EVERY_MS);
    }
  }

  async end() {
    await this.client?.end();
    await this.sink.stop();
  }
}

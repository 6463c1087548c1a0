import { setTimeout as sleep } from 'node:timers/promises';
import { CountingSink } from './counting-sink.mjs';
import { CpuMeter } from './cpu-meter.mjs';
import { DurableStores } from './durable-stores.mjs';
import { EventPublisher } from './event-publisher.mjs';
import { call, organisations, startIpm, writeGrounds } from './ipm-server.mjs';
import { PostgresMeter } from './postgres-meter.mjs';

/** Of the events that are published: none of IPM's own. */
const FILTERS = [{ service: 'scm' }, { service: 'ics' }, { service: 'pcm' }];
const CREATED_AT_ONCE = 4;
const MESSAGES = 300;
const SETTLED_WITHIN_MS = 30_000;

/** Without it a server refuses to call this machine. */
export const LOOPBACK_ALLOWED = { WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8' };

/** Where deliveries are measured: stores, a server that takes events in and delivers none, and a sink. */
export class DeliveryGround {
  /** Deliveries made so far: the database must hold as many. */
  delivered = 0;
  #launched = 0;
  #webhooks = 0;

  static async start(progress) {
    const ground = new DeliveryGround();
    ground.stores = await DurableStores.start(progress);
    try {
      ground.sink = await CountingSink.start();
      ground.api = await startIpm(ground.stores, { role: 'api', name: 'api', environment: LOOPBACK_ALLOWED });
      ground.publisher = new EventPublisher(ground.api);
      ground.meter = await PostgresMeter.on(ground.api.databaseUrl);
      return ground;
    } catch (error) {
      await ground.stop();
      throw error;
    }
  }

  /** Another process of the same installation. */
  launch(role, nodeArgs = []) {
    this.#launched += 1;
    const { environment } = this.api;
    return startIpm(this.stores, { role, nodeArgs, environment, name: `${role}-${this.#launched}` });
  }

  /** Organisations of its own and so many webhooks, evenly among them, each with a path of its own on the sink. */
  async field({ organisations: count, webhooks }) {
    const from = this.#webhooks;
    this.#webhooks += webhooks;
    const orgcodes = Array.from({ length: count }, (_, i) => `bench-${from}-${i}`);
    const targets = await organisations(this.api, orgcodes, 'integration_admin');
    let made = 0;
    const maker = async () => {
      while (made < webhooks) {
        const number = made;
        made += 1;
        await createWebhook(this.api, targets[number % count], { endpoint_url: this.sink.urlOf(from + number) });
      }
    };
    await Promise.all(Array.from({ length: CREATED_AT_ONCE }, maker));
    return { targets, from, webhooks };
  }

  /** Of messages as the product sends them, for a client that is to send the same: their headers and bodies. */
  async messages(field, drain) {
    await drain(this, field, { each: Math.ceil(MESSAGES / field.webhooks), capture: MESSAGES });
    return (await this.sink.captured()).map(messageIn);
  }

  /** CPU of some processes, Postgres and the sink from now on. */
  cpuMeter(servers) {
    const { postgres, redis } = this.stores;
    return new CpuMeter({
      worker: servers.map(({ pid }) => pid),
      api: this.api.pid,
      postgres: postgres.process.pid,
      redis: redis.process.pid,
      sink: this.sink.pid,
    });
  }

  async stop() {
    await this.publisher?.end();
    await this.meter?.end();
    await this.sink?.stop();
    await this.stores.stop();
  }
}

export async function createWebhook(server, headers, settings) {
  const request = {
    ...writeGrounds(headers['x-orgcode']),
    event_filters: FILTERS,
    auto_pause: { never: true },
    ...settings,
  };
  await call({ ...server, headers }, 'webhook/create', request);
}

/** Until no delivery is on its way or waits, as the database has it. */
export async function untilSettled(meter) {
  const open = 'select (select count(*) from delivery_lease) + (select count(*) from delivery_due) as open';
  const deadlineMs = performance.now() + SETTLED_WITHIN_MS;
  while (Number((await meter.ask(open)).open) > 0) {
    if (performance.now() > deadlineMs)
      throw new Error(
        `results of deliveries were not written within ${SETTLED_WITHIN_MS / 1000} s: ${await activity(meter)}`,
      );
    await sleep(20);
  }
}

async function activity(meter) {
  const { statements } = await meter.ask(
    `select coalesce(string_agg(extract(epoch from clock_timestamp() - query_start)::numeric(9, 1) || ' s ' || left(query, 120), '; '), 'nothing runs')
       as statements from pg_stat_activity where datname = current_database() and state = 'active' and pid <> pg_backend_pid()`,
  );
  return statements;
}

/** What undici adds by itself, and what is different each time. */
const NOT_KEPT = ['host', 'connection', 'content-length', 'webhook-timestamp', 'webhook-signature'];

function messageIn(request) {
  const [head, body] = request.split('\r\n\r\n');
  const lines = head.split('\r\n').slice(1);
  const headers = lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]);
  return { headers: Object.fromEntries(headers.filter(([name]) => !NOT_KEPT.includes(name))), body };
}

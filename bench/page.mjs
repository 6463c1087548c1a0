import pg from 'pg';
import { DurableStores } from './durable-stores.mjs';
import { call, ORGCODE, startIpm, writeGrounds } from './ipm-server.mjs';
import { load } from './load.mjs';
import { figure, judged } from './report.mjs';

const EVENT_TYPES = 200;
const AUDIT_EVENTS = 10_000;
const COPIES_A_STATEMENT = 200;
const WARM_UP_SECONDS = 5;
const PAGES = [
  { operation: 'audit/list', body: { limit: 8 } },
  { operation: 'event/catalog/list', body: {} },
];

export async function measure({ runs = 5, seconds = 8, connections = 64 }, progress) {
  const stores = await DurableStores.start(progress);
  try {
    const ipm = await startIpm(stores);
    await fill(ipm, progress);
    const run = ({ operation, body }, length = seconds) =>
      load({ ...ipm, url: `${ipm.base}/ipm/${operation}`, body: JSON.stringify(body), seconds: length, connections });
    const results = new Map(PAGES.map((page) => [page, []]));
    for (const page of PAGES) await run(page, WARM_UP_SECONDS);
    for (let i = 1; i <= runs; i += 1) {
      for (const page of PAGES) {
        const result = await run(page);
        results.get(page).push(result);
        progress(`run ${i}: ${page.operation} ${result.perSecond.toFixed(0)}/s`);
      }
    }
    const sizes = await Promise.all(
      PAGES.map(async (page) => Buffer.byteLength(await call(ipm, page.operation, page.body))),
    );
    return {
      how: how({ seconds, connections, sizes }),
      ...judged([...results].flatMap(figuresOf), [...results.values()].flat()),
    };
  } finally {
    await stores.stop();
  }
}

function figuresOf([{ operation }, results]) {
  const shares = results.map(({ serverCoreShare }) => serverCoreShare).filter((share) => share !== undefined);
  return [
    figure(
      operation,
      'req/s',
      results.map(({ perSecond }) => perSecond),
      { atLeast: 1500 },
    ),
    figure(
      `${operation}, p50`,
      'ms',
      results.map(({ p50Ms }) => p50Ms),
    ),
    figure(
      `${operation}, p99`,
      'ms',
      results.map(({ p99Ms }) => p99Ms),
    ),
    ...(shares.length > 0 ? [figure(`${operation}, share of a core: server`, 'cores', shares, { digits: 2 })] : []),
  ];
}

/** Event types are registered through the API; the audit events of that are copied until there are enough. */
async function fill(ipm, progress) {
  progress(`${EVENT_TYPES} event types, ${AUDIT_EVENTS} audit events …`);
  for (let i = 0; i < EVENT_TYPES; i += 1)
    await call(ipm, 'event/catalog/register', { ...writeGrounds(), event_type: anEventType(i) });
  const client = new pg.Client({ connectionString: ipm.databaseUrl });
  await client.connect();
  try {
    for (let missing = AUDIT_EVENTS - (await count(client)); missing > 0; missing -= COPIES_A_STATEMENT) {
      await copyAuditEvents(client, Math.min(missing, COPIES_A_STATEMENT));
    }
    if ((await count(client)) !== AUDIT_EVENTS) throw new Error('the audit events were not made');
    await client.query('vacuum analyze');
  } finally {
    await client.end();
  }
}

/** Whatever columns the table has; the trigger numbers and links the copies as it does any new event. */
async function copyAuditEvents(client, howMany) {
  await client.query(
    `insert into audit_event select (jsonb_populate_record(e, jsonb_build_object('audit_id', gen_random_uuid()))).*
     from audit_event e where orgcode = $1 order by seq desc limit $2`,
    [ORGCODE, howMany],
  );
}

async function count(client) {
  const { rows } = await client.query('select count(*)::int as events from audit_event where orgcode = $1', [ORGCODE]);
  return rows[0].events;
}

function anEventType(i) {
  const number = String(i).padStart(3, '0');
  const properties = {
    order_id: { type: 'string', maxLength: 64 },
    quantity: { type: 'integer', minimum: 0 },
    note: { type: 'string' },
  };
  const schema = { type: 'object', properties, required: ['order_id'] };
  const redaction = { note: 'mask' };
  return {
    service: 'bench',
    action: `order_${number}.changed`,
    schema_version: '1.0',
    description: `Order ${number} changed`,
    schema,
    redaction,
  };
}

function how({ seconds, connections, sizes }) {
  const answers = PAGES.map(({ operation, body }, i) => `${operation} ${JSON.stringify(body)} (${sizes[i]} bytes)`);
  return [
    `an organisation with ${AUDIT_EVENTS} audit events and ${EVENT_TYPES} registered event types; Postgres with fsync and synchronous_commit on`,
    `role all, API key, limits lifted, autocannon, ${connections} connections, ${seconds} s a run, alternately ${answers.join(' and ')}`,
  ];
}

import { EXPORTED_RECORDS, endedJobId } from './bulk-jobs.mjs';
import { deepPagesOf, minutesOf } from './feed-pages.mjs';
import { ORGCODE, writeGrounds } from './ipm-server.mjs';
import { kpiBodies, kpiQueries } from './kpi-loads.mjs';
import { notMeasured } from './report.mjs';
import { FILTERS, OWN_WEBHOOKS, webhookId, WIDE_WEBHOOKS } from './webhook-rows.mjs';

const REPLAYED_EVENTS = 8;
const PAGES = 8;
const SECOND_LINE = 2;

/**
 * By route of the contract: what is asked on a ground. `next(i)` is the i-th call (body, headers unless they are the organisation's
 * own); `prepare(calls)` makes beforehand what so many calls use up.
 */
export const ROUTE_LOADS = {
  stat: () => ({ next: () => ({}) }),
  'event/catalog/list': catalogPages,
  'export/contract/list': () => inTurn([{}, { service: 'scm' }, { service: 'pcm', limit: 2 }, { limit: 64 }]),
  'kpi/query': kpi,
  'kpi/record': kpi,
  'kpi/alert': kpi,
  'lifecycle/list': () => inTurn([{}, { service: 'ipm' }, { name: 'webhook' }, { service: 'ipm', name: 'bulk_job' }]),
  'specimen/get': () =>
    inTurn(['webhook', 'scm.purchase_order.released', 'kpi_snapshot', undefined, 'pcm.price.changed'].map(named)),
  'pagination/get': () => inTurn([{}]),
  'webhook/create': webhookCreations,
  'webhook/get': () => ({ next: (i) => ({ body: { webhook_id: webhookId(i % OWN_WEBHOOKS) } }) }),
  'webhook/list': async (ground) =>
    inTurn([
      ...(await ground.pagesOf('webhook/list', {}, PAGES)),
      ...(await ground.pagesOf('webhook/list', { status: 'active', limit: 50 }, 3)),
    ]),
  'webhook/status/set': statusChanges,
  'webhook/replay': replays,
  'cdc/list': feedPages,
  'bulk/import/create': (ground) => byNeighbours(ground, () => ({})),
  'bulk/import/continue': importContinuations,
  'bulk/import/commit': importCommits,
  'bulk/export/create': exportOrders,
  'bulk/export/continue': exportContinuations,
  'bulk/job/get': () => ({ next: (i) => ({ body: { job_id: endedJobId(i * 7) } }) }),
  'bulk/job/list': async (ground) =>
    inTurn([
      ...(await ground.pagesOf('bulk/job/list', {}, PAGES)),
      { limit: 50 },
      { status: 'completed', job_type: 'import' },
      { status: 'failed' },
      { job_type: 'export', limit: 50 },
    ]),
};

function inTurn(bodies) {
  return { next: (i) => ({ body: bodies[i % bodies.length] }) };
}

function named(name) {
  return { name };
}

/** Writes of many organisations, because one may have so many jobs open and no more. */
function byNeighbours(ground, bodyOf) {
  return {
    next: (i) => {
      const headers = ground.neighbour(i);
      return { headers, body: { ...writeGrounds(headers['x-orgcode']), ...bodyOf(i) } };
    },
  };
}

/** Each call uses up one of what was prepared for it. */
function prepared(prepare) {
  let calls = [];
  return {
    prepare: async (count) => {
      calls = await prepare(count);
    },
    next: (i) => calls[i],
  };
}

async function catalogPages(ground) {
  return inTurn([
    ...(await ground.pagesOf('event/catalog/list', {}, 3)),
    { service: 'scm', limit: 64 },
    { service: 'ics', action_prefix: 'stock' },
    { service: 'pcm', action: 'price.changed' },
  ]);
}

function kpi({ kpis }, operation) {
  const bodyOf = kpiBodies(kpiQueries(kpis))[operation];
  return { next: (i) => ({ body: bodyOf(i) }) };
}

function webhookCreations(ground) {
  return byNeighbours(ground, (i) => ({
    caption: `webhook ${i}`,
    endpoint_url: ground.sink.urlOf(i),
    event_filters: FILTERS[i % FILTERS.length],
  }));
}

/** Those that are active are paused, those that are paused set active. */
function statusChanges({ client, neighbours }) {
  const headersOf = new Map(neighbours.map((headers) => [headers['x-orgcode'], headers]));
  return prepared(async (count) => {
    const { rows } = await client.query(
      `select orgcode, webhook_id, status, revision::text from webhook where orgcode <> $1 order by random() limit $2`,
      [ORGCODE, count],
    );
    if (rows.length < count)
      throw notMeasured(`There are ${rows.length} webhooks to pause, not ${count}: --seconds is too much.`);
    return rows.map(({ orgcode, webhook_id, status, revision }) => ({
      headers: headersOf.get(orgcode),
      body: {
        ...writeGrounds(orgcode),
        webhook_id,
        status: status === 'active' ? 'paused' : 'active',
        expected_revision: revision,
      },
    }));
  });
}

function replays({ layout }) {
  const ranges = minutesOf(layout);
  return {
    next: (i) => ({
      body: {
        ...writeGrounds(),
        webhook_id: webhookId(i % WIDE_WEBHOOKS),
        ...ranges[i % ranges.length],
        limit: REPLAYED_EVENTS,
      },
    }),
  };
}

async function feedPages({ ipm, layout }) {
  const deepPages = await deepPagesOf(ipm, layout);
  const deep = deepPages({});
  const kinds = [
    [{}],
    deep,
    deep.map((body) => ({ ...body, limit: 64 })),
    deepPages({ service: 'ics' }),
    minutesOf(layout),
  ];
  return {
    next: (i) => {
      const bodies = kinds[i % kinds.length];
      return { body: bodies[Math.floor(i / kinds.length) % bodies.length] };
    },
  };
}

function importCommits({ jobs }) {
  return prepared(async (count) => {
    const uploads = await jobs.uploaded(count);
    for (const { job } of uploads) jobs.willEnd('import', job);
    return uploads;
  });
}

function importContinuations({ jobs }) {
  return prepared(async (count) =>
    (await jobs.ended('import', count)).map((job) => continuation(job, { resume_from_line: SECOND_LINE })),
  );
}

function exportOrders({ jobs }) {
  return {
    next: (i) => {
      const { job, body } = jobs.exportOrder(i);
      jobs.willEnd('export', job);
      return { headers: job.headers, body };
    },
  };
}

function exportContinuations({ jobs }) {
  return prepared(async (count) =>
    (await jobs.ended('export', count)).map((job) => continuation(job, { max_records: EXPORTED_RECORDS })),
  );
}

function continuation({ headers, job_id }, body) {
  return { headers, body: { ...writeGrounds(headers['x-orgcode']), job_id, ...body } };
}

import { randomBytes } from 'node:crypto';
import { ApiKeyUsage } from '../../src/access/api-key-usage.js';
import type { PublishedItem } from '../../src/cdc/cdc.dto.js';
import { AGE_CLASSES } from '../../src/delivery/age-classes.js';
import { deliveryId } from '../../src/delivery/delivery-id.js';
import { writeGrounds, type TestApi } from '../support/api.js';
import type { TestDatabase } from '../support/database.js';
import { aFigure } from '../support/kpis.js';

/** An organisation with a row in every table, each of which holds the canary. */
export interface Inhabitant {
  orgcode: string;
  ownerKey: string;
  /** Stands in every free text of the organisation: found in an answer, something looked over the wall. */
  canary: string;
  keyId: string;
  sessionId: string;
  service: string;
  action: string;
  idempotencyKey: string;
  /** An event of the log: what it is called, where it is, and the token to read on after it. */
  eventId: string;
  occurredAt: string;
  position: string;
  feedToken: string;
  webhookId: string;
  lane: bigint;
  /** Dead, with what its endpoint said. */
  deliveryId: string;
  /** Completed. */
  replayId: string;
  jobId: string;
  /** A figure of the first day of 2025, the rule that watches its KPI, and the alert that this has raised. */
  kpiId: string;
  kpiCode: string;
  series: bigint;
  alertId: string;
  ruleId: string;
  /** Completed. */
  rollupId: string;
}

export async function anInhabitant(api: TestApi): Promise<Inhabitant> {
  const { orgcode, key: ownerKey } = await api.anOwner();
  const canary = `canary-${randomBytes(6).toString('hex')}`;
  const write = async (
    path: string,
    body: object,
    headers: Record<string, string> = {},
  ): Promise<Record<string, unknown>> => {
    const answer = await api.call(
      path,
      { ...writeGrounds(orgcode, canary), ...body },
      { orgcode, key: ownerKey, headers },
    );
    if (answer.status !== 200)
      throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(answer.body.error)}`);
    return answer.body.data;
  };
  const idempotencyKey = `key-${canary.slice(7)}`;
  const made = await write(
    '/access/key/create',
    { roles: ['auditor'], caption: canary },
    { 'idempotency-key': idempotencyKey },
  );
  const { session } = await write('/access/session/open', { roles: ['auditor'], actor: canary });
  const { org } = (await api.call('/access/org/get', {}, { orgcode, key: ownerKey })).body.data;
  await write('/access/org/set', { caption: canary, expected_revision: org.revision });
  const [service, action] = [`svc_${canary.slice(7)}`, `thing_${canary.slice(7)}.made`];
  await write('/event/catalog/register', { event_type: anEventType(service, action, canary) });
  const event = { ...anEventOf(service, action, canary), event_id: `event-${canary.slice(7)}` };
  const { items: published } = (await write('/event/publish', { events: [event] })) as { items: [PublishedItem] };
  const feed = (await api.call('/cdc/list', { service }, { orgcode, key: ownerKey })).body.data;
  const webhookId = `whk-${canary.slice(7)}`;
  const webhook = {
    caption: canary,
    endpoint_url: `https://${canary}.invalid/in`,
    event_filters: [{ service: canary }],
  };
  await write('/webhook/create', { ...webhook, webhook_id: webhookId });
  await write('/webhook/create', webhook);
  const jobId = `job-${canary.slice(7)}`;
  await write('/bulk/import/create', { job_id: jobId });
  await write('/bulk/import/create', {});
  await api.database.asOwner('insert into bulk_error (orgcode, job_id, line, entry) values ($1, $2, 1, $3)', [
    orgcode,
    jobId,
    JSON.stringify({ line: 1, excerpt: canary }),
  ]);
  const kpi = await layOutKpis(api.database, orgcode, canary, write);
  await api.app.get(ApiKeyUsage, { strict: false }).write(); // later it would change a row while we watch
  const { key } = made as { key: { key_id: string } };
  const position = published[0].position!;
  const lane = await layOutDeliveries(api.database, { orgcode, webhookId, position, canary });
  return {
    orgcode,
    ownerKey,
    canary,
    keyId: key.key_id,
    sessionId: (session as { session_id: string }).session_id,
    service,
    action,
    idempotencyKey,
    eventId: event.event_id,
    occurredAt: event.occurred_at,
    position,
    feedToken: feed.next_token.token,
    webhookId,
    lane,
    deliveryId: deliveryId({ lane, position: BigInt(position), replayNo: 0 }),
    jobId,
    replayId: `replay-${canary.slice(7)}`,
    ...kpi,
  };
}

/** Two figures and what a rule says to them; one alert waits for an inbox that is not asked before long. */
async function layOutKpis(
  database: TestDatabase,
  orgcode: string,
  canary: string,
  write: (path: string, body: object) => Promise<Record<string, unknown>>,
): Promise<Pick<Inhabitant, 'kpiId' | 'kpiCode' | 'series' | 'alertId' | 'ruleId' | 'rollupId'>> {
  const tail = canary.slice(7);
  const [kpiId, kpiCode, alertId, ruleId] = [`kpi-${tail}`, `code-${tail}`, `alert-${tail}`, `rule-${tail}`];
  const rule = { kpi_code: kpiCode, bucket: 'daily', comparator: 'gt', value: 1, title: canary };
  await write('/kpi/rule/create', { rule_id: ruleId, rule });
  await write('/kpi/rule/create', {
    rule: { ...rule, bucket: 'monthly', measure: 'minutes_missing', comparator: undefined },
  });
  await write('/kpi/rule/create', { rule: { ...rule, kpi_code: `${kpiCode}-2` } });
  for (const day of [1, 2]) {
    const figure = aFigure({ day, kpi_code: kpiCode, value_unit: canary, ...(day === 1 && { kpi_id: kpiId }) });
    await write('/kpi/record', { kpi: figure });
  }
  const alert = { ...aFigure({ kpi_code: kpiCode }), threshold: { comparator: 'gt', value: 1 }, title: canary };
  await write('/kpi/alert', { alert: { ...alert, alert_id: alertId } });
  await database.asOwner(
    `update kpi_alert set delivery_status = 'pending', due_at = '2100-01-01', inbox_service = 'scm' where orgcode = $1 and alert_id = $2`,
    [orgcode, alertId],
  );
  await database.asOwner(
    `insert into kpi_own_progress (orgcode, bucket, done_to, position) values ($1, 'hourly', '2100-01-01', 1), ($1, 'daily', '2100-01-01', 1)`,
    [orgcode],
  );
  const rollupId = `rollup-${tail}`;
  await database.asOwner(
    `insert into kpi_rollup (orgcode, rollup_id, status, kpi_code, into_kpi_code, scope, from_bucket, to_bucket, aggregate, from_utc, to_utc, reason)
     values ($1, $2, 'completed', $3, $3, 'org', 'daily', 'monthly', 'sum', '2025-01-01', '2026-01-01', $4)`,
    [orgcode, rollupId, kpiCode, canary],
  );
  const [row] = await database.asOwner<{ series: string }>('select series from kpi_series where orgcode = $1', [
    orgcode,
  ]);
  return { kpiId, kpiCode, alertId, ruleId, rollupId, series: BigInt(row!.series) };
}

/** Deliveries of each kind, as workers leave them: nothing here is due before long, so that no worker touches it. */
async function layOutDeliveries(
  database: TestDatabase,
  { orgcode, webhookId, position, canary }: Pick<Inhabitant, 'orgcode' | 'webhookId' | 'position' | 'canary'>,
): Promise<bigint> {
  const [row] = await database.asOwner<{ lane: string }>(
    `with w as (select lane from webhook where orgcode = $1 and webhook_id = $2), d as (
       insert into delivery (orgcode, lane, position, replay_no, status, attempts, http_status, duration_ms, error_tag, excerpt, reason, ordering_key, attempted_at)
       select $1, lane, $3::bigint, n, status::delivery_status, 2, 500, 7, 'http_500', $4, $4, case when n > 1 then $4 end, now()
       from w, unnest(array[0, 1, 2, 3], array['dead', 'delivered', 'scheduled', 'scheduled']) u(n, status)
     ), a as (
       insert into delivery_attempt select $1, lane, $3::bigint, 0, n, now(), 7, 500, 'http_500', $4 from w, generate_series(1, 2) n
     ), q as (
       insert into delivery_due (orgcode, lane, due_at, position, replay_no) select $1, lane, '2100-01-01', $3::bigint, 2 from w
     ), g as (
       insert into delivery_dead (orgcode, lane, position, replay_no, error_tag) select $1, lane, $3::bigint, 0, $4 from w
     ), e as (
       insert into delivery_cancelled (orgcode, lane, position, replay_no, reason) select $1, lane, $3::bigint, 3, $4 from w
     ), m as (
       insert into dead_letter_mark (orgcode, lane, position, replay_no, status, replayed_as) select $1, lane, $3::bigint, 1, 'replayed', 2 from w
     ), t as (
       insert into dead_letter_act (orgcode, lane, position, replay_no, act, actor) select $1, lane, $3::bigint, 0, 'acknowledged', $4 from w
     ), k as (
       insert into delivery_key select $1, lane, $4, $3::bigint, 2 from w
     ), o as (
       insert into delivery_waiting select $1, lane, $4, $3::bigint, 3 from w
     ), h as (
       insert into webhook_health (orgcode, lane, consecutive_failures, last_error) select $1, lane, 1, jsonb_build_object('error_tag', $4::text) from w
     ), r as (
       insert into webhook_replay (orgcode, replay_id, webhook_id, lane, status, outcome, "only", service, to_utc, rate, reason)
       select $1, replace($4, 'canary', 'replay'), $2, lane, 'completed', 'succeeded', 'all', $4, '2026-01-01T00:00:00Z', 1, $4 from w
     ), i as (
       insert into webhook_replay_item select $1, replace($4, 'canary', 'replay'), lane, $3::bigint, 2 from w
     )
     insert into delivery_tally (orgcode, lane, from_time, delivered, failed, dead, ages)
     select $1, lane, date_bin('5 minutes', now(), 'epoch'), 1, 1, 1, array_fill(1, array[${AGE_CLASSES}]) from w
     returning lane`,
    [orgcode, webhookId, position, canary],
  );
  return BigInt(row!.lane);
}

export function anEventType(service: string, action: string, description: string): object {
  return {
    service,
    action,
    schema_version: '1.0',
    description,
    schema: { type: 'object', properties: { note: { type: 'string' } } },
    specimen: anEventOf(service, action, description),
  };
}

export function anEventOf(
  service: string,
  action: string,
  note: string,
): Record<'event_id' | 'occurred_at', string> & Record<string, unknown> {
  return {
    event_id: 'e-1',
    service,
    action,
    occurred_at: '2026-01-01T00:00:00Z',
    logical_guid: service,
    channel_code: note,
    payload: { note },
  };
}

/** Every table that belongs to organisations, by name. */
async function tenantTables(database: TestDatabase): Promise<string[]> {
  const tables = await database.asOwner<{ name: string }>(
    `select c.relname::text as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'orgcode'
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1`,
  );
  return tables.map(({ name }) => name);
}

/** All rows as text, of one organisation or of all, to see that nothing has changed. */
export async function everyRow(database: TestDatabase, orgcode?: string): Promise<{ table: string; row: string }[]> {
  const tables = await tenantTables(database);
  const ofTable = (table: string): string =>
    `select '${table}' as "table", t::text as row from ${table} t where $1::text is null or orgcode = $1`;
  return database.asOwner(`${tables.map(ofTable).join(' union all ')} order by 1, 2`, [orgcode ?? null]);
}

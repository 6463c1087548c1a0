import { randomBytes, randomUUID } from 'node:crypto';
import { deliveryId } from '../../src/delivery/delivery-id.js';
import { writeGrounds } from '../support/api.js';
import { aFigure } from '../support/kpis.js';
import { anEventOf, anEventType, type Inhabitant } from './two-organisations.js';

/** What a caller can name of somebody else's. */
export type Names = Pick<
  Inhabitant,
  | 'orgcode'
  | 'keyId'
  | 'sessionId'
  | 'service'
  | 'action'
  | 'idempotencyKey'
  | 'eventId'
  | 'occurredAt'
  | 'position'
  | 'feedToken'
  | 'webhookId'
  | 'deliveryId'
  | 'replayId'
  | 'jobId'
  | 'kpiId'
  | 'kpiCode'
  | 'alertId'
  | 'ruleId'
  | 'rollupId'
>;

export interface CrossingRequest {
  /** Where a parameter of the path names something. */
  path?: string;
  body?: object;
  idempotencyKey?: string;
  lastEventId?: string;
}

/** Names of the same form that belong to nobody. */
export function namesOfNobody(): Names {
  const tail = randomBytes(6).toString('hex');
  return {
    orgcode: `org-${randomBytes(4).toString('hex')}`,
    keyId: randomBytes(6).toString('hex'),
    sessionId: randomUUID(),
    service: `svc_${tail}`,
    action: `thing_${tail}.made`,
    idempotencyKey: `key-${tail}`,
    eventId: `event-${tail}`,
    webhookId: `whk-${tail}`,
    deliveryId: deliveryId({ lane: 0xffff_ffffn, position: BigInt(`0x${tail}`), replayNo: 0 }),
    replayId: `replay-${tail}`,
    jobId: `job-${tail}`,
    kpiId: `kpi-${tail}`,
    kpiCode: `code-${tail}`,
    alertId: `alert-${tail}`,
    ruleId: `rule-${tail}`,
    rollupId: `rollup-${tail}`,
    occurredAt: '2026-01-01T00:00:00Z',
    position: '4000000000',
    feedToken: `WyI3Il0.${randomBytes(32).toString('base64url')}`,
  };
}

type RequestsOf = (names: Names, own: string) => CrossingRequest[];

const write = (own: string, names: Names, body: object): CrossingRequest[] => [
  // with the key of another's write, inside our own organisation
  { body: { ...writeGrounds(own), ...body }, idempotencyKey: names.idempotencyKey },
  // speaking for another organisation
  { body: { ...writeGrounds(names.orgcode), ...body } },
];

const A_RANGE = { from_utc: '2025-01-01T00:00:00Z', to_utc: '2026-01-01T00:00:00Z' };
const A_YEAR = { bucket: 'daily', ...A_RANGE };

/** Every operation, asked for everything that can be named of another organisation. A new operation needs a line here. */
export const crossingRequests: Record<string, RequestsOf> = {
  'GET stat': () => [{}],
  'POST access/key/create': (names, own) => write(own, names, { roles: ['auditor'], caption: 'ours' }),
  'POST access/key/list': () => [{ body: { limit: 256 } }, { body: { status: 'active' } }],
  'POST access/key/revoke': (names, own) => write(own, names, { key_id: names.keyId }),
  'POST access/session/open': (names, own) => write(own, names, { actor: 'ours', roles: ['auditor'] }),
  'POST access/session/close': (names, own) => write(own, names, { session_id: names.sessionId }),
  'POST access/org/get': (names) => [{ body: { orgcode: names.orgcode } }],
  'POST access/org/set': (names, own) => [
    ...write(own, names, { orgcode: names.orgcode, caption: 'ours', expected_revision: '1' }),
    { body: { ...writeGrounds(names.orgcode), caption: 'ours' } }, // 428 with a snapshot
  ],
  'POST audit/list': (names) => [
    { body: { resource_type: 'api_key', resource_id: names.keyId } },
    { body: { resource_type: 'organisation', resource_id: names.orgcode } },
    { body: { actor: `api_key:${names.keyId}` } },
  ],
  'POST event/catalog/list': (names) => [
    { body: { service: names.service } },
    { body: { action_prefix: names.action } },
  ],
  'POST event/catalog/register': (names, own) =>
    write(own, names, { event_type: anEventType(names.service, names.action, 'ours') }),
  'GET schema/:service/:action/:version': (names) => [{ path: `/schema/${names.service}/${names.action}/1.0` }],
  'POST event/publish': (names, own) => {
    const event = { ...anEventOf(names.service, names.action, 'ours'), event_id: names.eventId };
    const inTheirName = { ...event, request_context: { orgcode: names.orgcode } };
    return write(own, names, { events: [{ ...event, occurred_at: names.occurredAt }, inTheirName] });
  },
  'POST cdc/list': (names) => [
    { body: { limit: 256 } },
    { body: { service: names.service } },
    { body: { logical_guid: names.service } },
  ],
  'POST cdc/get': (names) => [
    { body: { position: names.position } },
    { body: { event_id: names.eventId } },
    { body: { event_id: names.eventId, occurred_at: names.occurredAt } },
  ],
  // Refused before it begins, for it would not end. What a stream shows, its own spec looks at.
  'GET cdc/stream': ({ feedToken, service }) => [
    { path: `/cdc/stream?from=${feedToken}` },
    { path: `/cdc/stream?from=${feedToken}&service=${service}` },
    { path: '/cdc/stream', lastEventId: feedToken },
  ],
  'POST webhook/create': (names, own) =>
    write(own, names, { endpoint_url: 'https://ours.invalid/in', event_filters: [{ service: 'ours' }] }),
  'POST webhook/get': ({ webhookId }) => [{ body: { webhook_id: webhookId } }],
  'POST webhook/list': () => [{ body: { limit: 256 } }, { body: { status: 'active' } }],
  'POST webhook/status/set': (names, own) => [
    ...write(own, names, { webhook_id: names.webhookId, status: 'revoked', expected_revision: '1' }),
    { body: { ...writeGrounds(own), webhook_id: names.webhookId, status: 'paused' } }, // 428 with a snapshot
  ],
  'POST webhook/update': (names, own) => [
    ...write(own, names, { webhook_id: names.webhookId, caption: 'ours', expected_revision: '1' }),
    { body: { ...writeGrounds(own), webhook_id: names.webhookId, caption: 'ours' } }, // 428 with a snapshot
  ],
  'POST webhook/secret/rotate': (names, own) => [
    ...write(own, names, { webhook_id: names.webhookId, expected_revision: '1' }),
    ...write(own, names, { webhook_id: names.webhookId, expected_revision: '1', expire_previous: true }),
    { body: { ...writeGrounds(own), webhook_id: names.webhookId } }, // 428 with a snapshot
  ],
  'POST webhook/filter/test': ({ webhookId, service }) => [
    { body: { webhook_id: webhookId } },
    { body: { event_filters: [{ service }], limit: 256 } },
  ],
  'POST webhook/delivery/list': ({ webhookId, eventId, occurredAt }) => [
    { body: { webhook_id: webhookId } },
    { body: { webhook_id: webhookId, status: 'dead' } },
    { body: { webhook_id: webhookId, event_id: eventId, occurred_at: occurredAt } },
  ],
  'POST webhook/delivery/get': ({ deliveryId: delivery_id }) => [{ body: { delivery_id } }],
  'POST webhook/delivery/retry': (names, own) => write(own, names, { delivery_id: names.deliveryId }),
  'POST webhook/test': ({ webhookId, service, action }) => [
    { body: { webhook_id: webhookId } },
    { body: { webhook_id: webhookId, event: { service, action } } },
  ],
  'POST webhook/replay': (names, own) => write(own, names, { webhook_id: names.webhookId }),
  'POST webhook/replay/start': (names, own) =>
    write(own, names, { webhook_id: names.webhookId, replay_id: names.replayId }),
  'POST webhook/replay/get': ({ replayId: replay_id }) => [{ body: { replay_id } }],
  'POST webhook/replay/cancel': (names, own) => write(own, names, { replay_id: names.replayId }),
  'POST bulk/import/create': (names, own) => write(own, names, {}),
  'POST bulk/import/commit': (names, own) => [
    ...write(own, names, { job_id: names.jobId, expected_revision: '1' }),
    { body: { ...writeGrounds(own), job_id: names.jobId } }, // 428 with a snapshot
  ],
  'POST bulk/import/continue': (names, own) => write(own, names, { job_id: names.jobId }),
  'POST bulk/export/create': (names, own) => write(own, names, { cursor: { token: names.feedToken } }),
  'POST bulk/export/continue': (names, own) => write(own, names, { job_id: names.jobId }),
  'POST bulk/job/get': ({ jobId: job_id }) => [{ body: { job_id } }],
  'POST bulk/job/list': () => [{ body: { limit: 256 } }, { body: { job_type: 'import' } }],
  'POST kpi/record': (names, own) => [
    ...write(own, names, { kpi: aFigure({ kpi_id: names.kpiId, kpi_code: names.kpiCode }) }),
    ...write(own, names, { kpi: aFigure({ kpi_code: names.kpiCode, day: 7 }), expected_revision: '1' }),
  ],
  'POST kpi/record/batch': (names, own) =>
    write(own, names, { kpis: [aFigure({ kpi_id: names.kpiId, kpi_code: names.kpiCode, day: 2 })] }),
  'POST kpi/query': ({ kpiCode, service }) => [
    { body: { ...A_YEAR, kpi_code: kpiCode, limit: 256 } },
    { body: { ...A_YEAR, kpi_code: kpiCode, logical_guid: service } },
  ],
  // Refused, for a picture is no answer of TestApi; what it shows, its own spec looks at.
  'GET kpi/chart.svg': ({ kpiCode }) => [{ path: `/kpi/chart.svg?kpi_code=${kpiCode}` }],
  'POST kpi/alert': (names, own) =>
    write(own, names, {
      alert: {
        ...aFigure({ kpi_code: names.kpiCode }),
        alert_id: names.alertId,
        threshold: { comparator: 'gt', value: 1 },
      },
    }),
  'POST kpi/alert/get': ({ alertId }) => [{ body: { alert_id: alertId } }],
  'POST kpi/alert/list': ({ kpiCode, ruleId }) => [{ body: { kpi_code: kpiCode } }, { body: { rule_id: ruleId } }],
  'POST kpi/rollup': (names, own) =>
    write(own, names, {
      rollup_id: names.rollupId,
      rollup: { kpi_code: names.kpiCode, from_bucket: 'daily', to_bucket: 'monthly', aggregate: 'sum', ...A_RANGE },
    }),
  'POST kpi/rollup/get': ({ rollupId }) => [{ body: { rollup_id: rollupId } }],
  'POST kpi/rule/create': (names, own) =>
    write(own, names, {
      rule_id: names.ruleId,
      rule: { kpi_code: names.kpiCode, bucket: 'fiscal', comparator: 'gt', value: 7 },
    }),
  'POST kpi/rule/list': ({ kpiCode }) => [{ body: { limit: 256, kpi_code: kpiCode } }],
  'POST kpi/rule/status/set': (names, own) => [
    ...write(own, names, { rule_id: names.ruleId, status: 'paused', expected_revision: '7' }),
    { body: { ...writeGrounds(own), rule_id: names.ruleId, status: 'paused' } }, // 428 with a snapshot
  ],
  'POST kpi/rule/delete': (names, own) => [
    ...write(own, names, { rule_id: names.ruleId, expected_revision: '7' }),
    { body: { ...writeGrounds(own), rule_id: names.ruleId } }, // 428 with a snapshot
  ],
  'POST export/contract/list': (names) => [{ body: { service: names.service } }],
  'POST lifecycle/list': (names) => [{ body: { service: names.service } }],
  'POST specimen/get': (names) => [{ body: { name: `${names.service}.${names.action}` } }],
  'POST pagination/get': () => [{ body: {} }],
};

import { readConfiguration } from '../dist/platform/config/configuration.js';
import { Keyring } from '../dist/platform/secrets/keyring.js';
import { lastFourOf, newSigningSecret } from '../dist/webhook/signing-secret.js';
import { webhookSeal } from '../dist/webhook/webhook.mapper.js';
import { ORGCODE, writeGrounds } from './ipm-server.mjs';
import { OTHER_ORGCODES } from './seed-layout.mjs';

export const OWN_WEBHOOKS = 200;
/** In each of the other organisations. */
const THEIR_WEBHOOKS = 98;
/** Of the organisation's own those that want everything. */
export const WIDE_WEBHOOKS = 8;
const PAUSED_ONE_IN = 4;

const WIDE = [{ service: 'scm' }, { service: 'ics' }, { service: 'pcm' }];
export const FILTERS = [
  [{ service: 'scm', actions: ['purchase_order.*'] }],
  [{ service: 'ics', actions: ['stock_level.changed'] }],
  [{ service: 'pcm' }],
  [{ service: 'scm' }, { service: 'ics', actions: ['reservation.*'], logical_guids: ['store-1', 'store-2'] }],
];

export function webhookId(number) {
  return `whk_bench_${number}`;
}

/** Webhooks as if each organisation had made its own and paused a fourth of them; all up to the end of the log. */
export async function insertWebhooks(client, { environment }, urlOf) {
  const keyring = new Keyring(readConfiguration(environment));
  const owners = [
    ...Array(OWN_WEBHOOKS).fill(ORGCODE),
    ...OTHER_ORGCODES.flatMap((orgcode) => Array(THEIR_WEBHOOKS).fill(orgcode)),
  ];
  const rows = owners.map((orgcode, number) => rowOf(keyring, orgcode, number, urlOf));
  await client.query(
    `insert into webhook (orgcode, webhook_id, caption, endpoint_url, status, event_filters, secret_sealed, secret_last4,
       request_context, reason, source_refs, start_position, paused_after, paused_at, created_at, updated_at)
     select r.orgcode, r.webhook_id, r.caption, r.endpoint_url, r.status, r.event_filters, r.secret_sealed, r.secret_last4,
       r.request_context, r.reason, r.source_refs, coalesce(h.position, 0),
       case when r.status = 'paused' then coalesce(h.position, 0) end, case when r.status = 'paused' then clock_timestamp() end,
       clock_timestamp() - n * interval '4 minutes', clock_timestamp() - n * interval '4 minutes'
     from rows from (jsonb_to_recordset($1::jsonb) as (orgcode text, webhook_id text, caption text, endpoint_url text, status text,
       event_filters jsonb, secret_sealed text, secret_last4 text, request_context jsonb, reason text, source_refs jsonb))
       with ordinality as r(orgcode, webhook_id, caption, endpoint_url, status, event_filters, secret_sealed, secret_last4,
       request_context, reason, source_refs, n)
     left join org_head h using (orgcode)`,
    [JSON.stringify(rows)],
  );
  await client.query(
    `insert into router_cursor (orgcode, position) select orgcode, coalesce(h.position, 0)
     from (select distinct orgcode from webhook) w left join org_head h using (orgcode)`,
  );
  await client.query('insert into webhook_roll (orgcode) select distinct orgcode from webhook');
  await client.query('vacuum (analyze) webhook, webhook_roll, router_cursor');
  return rows.length;
}

function rowOf(keyring, orgcode, number, urlOf) {
  const id = webhookId(number);
  const secret = newSigningSecret();
  const isWide = number < WIDE_WEBHOOKS;
  return {
    orgcode,
    webhook_id: id,
    caption: `webhook ${number}`,
    endpoint_url: urlOf(number),
    status: !isWide && number % PAUSED_ONE_IN === 0 ? 'paused' : 'active',
    event_filters: isWide ? WIDE : FILTERS[number % FILTERS.length],
    secret_sealed: keyring.seal(secret, webhookSeal(orgcode, id, 'signing_secret')),
    secret_last4: lastFourOf(secret),
    ...writeGrounds(orgcode),
  };
}

import { createHash } from 'node:crypto';
import { signatureOf } from '../platform/outgoing/message-signature.js';
import { alertToWire } from './kpi-alert.mapper.js';
import type { AlertRecord } from './kpi-alert.repository.js';

const MAX_ID = 256;

/** What the inbox is told: the same bytes at every attempt, so that one who has seen the key before knows the body too. */
export function notificationBody(alert: AlertRecord): string {
  const { notification_id = alert.alertId, ...told } = alert.notification as { notification_id?: string };
  const { title, body, team_guid, ...figure } = alertToWire(alert);
  return JSON.stringify({
    orgcode: alert.orgcode,
    notification_id,
    team_guid,
    title,
    body,
    ...told,
    alert: { ...figure, title, body, team_guid, ...NOT_YET_TOLD },
  });
}

/** What changes while it is tried. */
const NOT_YET_TOLD = {
  delivery_status: undefined,
  delivery_error: undefined,
  inbox_notification_id: undefined,
  cleared_at: undefined,
  updated_at: undefined,
  revision: undefined,
};

/** Signed as webhooks are; the id is the alert's, whoever sends it and however often. */
export function notificationHeaders(
  { orgcode, alertId }: Pick<AlertRecord, 'orgcode' | 'alertId'>,
  body: string,
  secret: string,
  nowSeconds: number,
): Record<string, string> {
  const id = `alert_${createHash('sha256').update(`${orgcode}|${alertId}`).digest('hex').slice(0, 32)}`;
  return {
    'content-type': 'application/json',
    accept: 'application/json',
    'accept-encoding': 'identity',
    'x-orgcode': orgcode,
    'idempotency-key': id,
    'webhook-id': id,
    'webhook-timestamp': String(nowSeconds),
    'webhook-signature': signatureOf(secret, id, nowSeconds, body),
  };
}

/** Bare, or in an envelope. */
export function notificationIdIn(answer: Buffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(answer);
    const { notification_id, data } = JSON.parse(text) as {
      notification_id?: unknown;
      data?: { notification_id?: unknown; notification?: { notification_id?: unknown } };
    };
    const found = [notification_id, data?.notification_id, data?.notification?.notification_id].find(isId);
    return found;
  } catch {
    return undefined;
  }
}

function isId(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= MAX_ID &&
    !value.includes('\0') &&
    value.isWellFormed()
  );
}

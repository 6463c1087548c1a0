import { randomUUID } from 'node:crypto';

/** An event of a type that no catalog lists, as somebody would publish it. */
export function anEvent(fields: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    event_id: randomUUID(),
    service: 'pos',
    action: 'basket.closed',
    occurred_at: new Date().toISOString(),
    payload: { total_minor: 1999 },
    ...fields,
  };
}

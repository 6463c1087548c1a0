import type { TestDatabase } from '../../support/database.js';

export interface DeliveryRow {
  orgcode: string;
  webhookId: string;
  eventId: string | null;
  status: string;
  reason: string | null;
  attempts: number;
  lostWith: number;
  replayNo: number;
}

/** Deliveries as they stand in the tables. */
export interface DeliveryState {
  rows: DeliveryRow[];
  /** Events of each organisation's log, those that IPM itself says left out. */
  logged: { orgcode: string; eventId: string; service: string }[];
  /** What is paused: webhook ids. */
  paused: string[];
  leases: number;
  /** Waiting for a time, of webhooks that are active. */
  due: number;
  /** Dead and not listed as such, or the other way round. */
  unlisted: number;
  /** Changes to deliveries that had come to their end. */
  changedAfterEnd: number;
}

const ROWS = `
  select d.orgcode, w.webhook_id as "webhookId", e.event_id as "eventId", d.status::text, d.reason, d.attempts, d.lost_with as "lostWith",
    d.replay_no as "replayNo"
  from delivery d join webhook w using (lane) left join event e on e.orgcode = d.orgcode and e.position = d.position`;

const COUNTS = `
  select (select count(*) from delivery_lease)::int as leases,
    (select count(*) from delivery_due join webhook w using (lane) where w.status = 'active')::int as due,
    (select count(*) from (select lane, position, replay_no from delivery where status = 'dead') d
      full join delivery_dead l using (lane, position, replay_no) where d is null or l is null)::int as unlisted,
    (select count(*) from fault.changed_after_end)::int as "changedAfterEnd"`;

const WATCH = `
  create schema fault;
  create table fault.changed_after_end (was text, becomes text);
  create function fault.note_change() returns trigger language plpgsql security definer as
    $$ begin insert into fault.changed_after_end values (old::text, new::text); return null; end $$;
  create trigger fault_note_change after update on delivery for each row
    when (old.status in ('delivered', 'dead', 'cancelled')) execute function fault.note_change()`;

/** From now on every change to a delivery that has come to its end is noted: there must be none. */
export async function watchDeliveries({ asOwner }: Pick<TestDatabase, 'asOwner'>): Promise<void> {
  await asOwner(WATCH);
}

export async function deliveryState({ asOwner }: Pick<TestDatabase, 'asOwner'>): Promise<DeliveryState> {
  const [counts] = await asOwner<Pick<DeliveryState, 'leases' | 'due' | 'unlisted' | 'changedAfterEnd'>>(COUNTS);
  const paused = await asOwner<{ id: string }>(`select webhook_id as id from webhook where status = 'paused'`);
  return {
    ...counts!,
    rows: await asOwner<DeliveryRow>(ROWS),
    logged: await asOwner(`select orgcode, event_id as "eventId", service from event where service <> 'ipm'`),
    paused: paused.map(({ id }) => id),
  };
}

/** Whether anything is still to come: events that were not routed, deliveries that are on their way or wait for it. */
export async function isQuiet({ asOwner }: Pick<TestDatabase, 'asOwner'>): Promise<boolean> {
  const [row] = await asOwner<{ open: boolean }>(`
    select exists (select from router_cursor c join org_head h using (orgcode) where h.position > c.position)
      or exists (select from delivery_lease) or exists (select from delivery where status = 'sending')
      or exists (select from delivery_due join webhook w using (lane) where w.status = 'active')
      or exists (select from delivery_waiting join webhook w using (lane) where w.status = 'active')
      or exists (select from webhook where status = 'active' and gaps <> '[]') as open`);
  return !row!.open;
}

import type { TestDatabase } from '../../support/database.js';
import { hashOfSaid } from './said-event.js';

export interface LoggedEvent {
  orgcode: string;
  position: bigint;
  eventId: string;
  service: string;
  hash: string;
}

/** The log as it stands in the tables. */
export interface LogState {
  /** Of each organisation in the order of position. */
  events: LoggedEvent[];
  /** Where only a part of an event is there. */
  halves: string[];
}

const EVENTS = `
  select orgcode, position::text, event_id, service, envelope from event where orgcode = any($1) order by orgcode, position`;

/** An event is its row, its key in the ledger and its place in the head of its organisation: all of them, or none. */
const HALVES = `
  select e.orgcode || ' ' || e.position || ' has no key that names it' as what
  from event e left join event_key k using (orgcode, occurred_at, event_id)
  where e.orgcode = any($1) and k.position is distinct from e.position
  union all
  select k.orgcode || ' ' || k.position || ' is a key without its event'
  from event_key k left join event e on e.orgcode = k.orgcode and e.position = k.position and e.event_id = k.event_id
  where k.orgcode = any($1) and e.position is null
  union all
  select h.orgcode || ' ends at ' || coalesce(last.position::text, 'nothing') || ', its head says ' || h.position
  from org_head h left join lateral (select max(position) as position from event e where e.orgcode = h.orgcode) last on true
  where h.orgcode = any($1) and h.position is distinct from last.position`;

export async function logState(
  { asOwner }: Pick<TestDatabase, 'asOwner'>,
  orgcodes: readonly string[],
): Promise<LogState> {
  const rows = await asOwner<{
    orgcode: string;
    position: string;
    event_id: string;
    service: string;
    envelope: string;
  }>(EVENTS, [orgcodes]);
  const halves = await asOwner<{ what: string }>(HALVES, [orgcodes]);
  return {
    events: rows.map(({ orgcode, position, event_id, service, envelope }) => ({
      orgcode,
      position: BigInt(position),
      eventId: event_id,
      service,
      hash: hashOfSaid(JSON.parse(envelope) as object),
    })),
    halves: halves.map(({ what }) => what),
  };
}

import { Prisma } from '../generated/prisma/client.js';
import { operationTypeOf, operationTypes } from './operation-types.js';

// What of a run `r` follows from the thresholds of its type and from the clock of the database. Pieces of statements: a run that
// is counted stale in one must be stale in the others too.

/** The silence, in seconds, after which the worker of a run counts as gone, or the wait after which it is too long. */
export function thresholdSql(): Prisma.Sql {
  const byType = Object.entries(operationTypes).map(([type, { runningSeconds, queuedSeconds }]) => [
    type,
    { queued: queuedSeconds, running: runningSeconds, completed: runningSeconds },
  ]);
  const { runningSeconds } = operationTypeOf('');
  return Prisma.sql`coalesce((${JSON.stringify(Object.fromEntries(byType))}::jsonb -> r.type ->> r.status)::int, ${runningSeconds}::int)`;
}

const HEARD_OF = Prisma.sql`coalesce(r.heartbeat_at, r.created_at)`;

export function isStaleSql(): Prisma.Sql {
  return Prisma.sql`(r.status <> 'completed' and ${HEARD_OF} < clock_timestamp() - make_interval(secs => ${thresholdSql()}))`;
}

export function freshnessSql(): Prisma.Sql {
  return Prisma.sql`
    case when ${isStaleSql()} then 'likely_stale'
      when r.status <> 'completed' then 'fresh_active'
      when r.reconciled_at is not null and r.outcome = 'failed' then 'reconciled_failed'
      else 'terminal_normal' end`;
}

/** What speaks for a worker being there or gone. A heartbeat at the epoch says that it has left on purpose. */
export function evidenceSql(): Prisma.Sql {
  return Prisma.sql`
    jsonb_strip_nulls(jsonb_build_object(
      'subject', r.subject, 'status', r.status, 'created_at', r.created_at, 'started_at', r.started_at,
      'heartbeat_at', nullif(r.heartbeat_at, 'epoch'), 'left_by_its_worker', nullif(r.heartbeat_at = 'epoch', false),
      'silent_seconds', case when r.status <> 'completed' and r.heartbeat_at is distinct from 'epoch'
        then floor(extract(epoch from clock_timestamp() - ${HEARD_OF}))::int end,
      'threshold_seconds', ${thresholdSql()}, 'takeovers', r.takeovers, 'lost_workers', r.lost_workers))`;
}

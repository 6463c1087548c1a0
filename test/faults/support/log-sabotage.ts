import type { TestDatabase } from '../../support/database.js';
import { sabotagedFunction } from './sabotaged-function.js';

/** The way of the few is the same rule written out: what is sabotaged is the one statement, and it is given all of them. */
const ONE_STATEMENT = ['IF cardinality(p_event_ids) <= 4 THEN', 'IF false THEN'] as const;

/**
 * What somebody might have written instead of ipm_append.
 */
export const logSabotage = {
  /** A number from a sequence and no lock: the order of numbers is not the order of commits. A moment passes between the two. */
  withoutLock: [
    ONE_STATEMENT,
    ['PERFORM pg_advisory_xact_lock(4711, hashtext(p_orgcode));', ''],
    ['AS pushed\n', 'AS pushed, CASE n WHEN 1 THEN pg_sleep(random() * 0.02) END AS paused\n'],
    [
      'DO UPDATE SET position = excluded.position,',
      'DO UPDATE SET position = greatest(org_head.position, excluded.position),',
    ],
  ],
  /** Nobody asks whether the event is in the log already. */
  withoutKeys: [
    ONE_STATEMENT,
    ['AND k.event_id = u.event_id LIMIT 1', 'AND k.event_id = u.event_id AND false LIMIT 1'],
    [
      'FROM numbered WHERE known IS NULL\n    ), stored',
      'FROM numbered WHERE known IS NULL ON CONFLICT DO NOTHING\n    ), stored',
    ],
  ],
} as const;

export type LogSabotage = keyof typeof logSabotage;

/** Answers how to undo it. */
export function sabotageLog(
  database: Pick<TestDatabase, 'asOwner'>,
  sabotage: LogSabotage,
): Promise<() => Promise<unknown>> {
  return sabotagedFunction(database, 'ipm_append', logSabotage[sabotage]);
}

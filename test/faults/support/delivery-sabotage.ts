import type { TestDatabase } from '../../support/database.js';
import { sabotagedFunction, type Mistake } from './sabotaged-function.js';

const ANY_FENCE: Mistake = [`AND x.fence = u.fence AND x.status = 'sending'`, ''];

/** What somebody might have written instead of the functions that deliveries live by. */
export const deliverySabotage = {
  /** Nobody looks for what lost workers had. */
  withoutRecovery: { ipm_recover_deliveries: [['lease_until < clock_timestamp()', 'false']] },
  /** Whoever has a result writes it, also when somebody else has the delivery by now. */
  withoutFence: { ipm_settle_delivered: [ANY_FENCE], ipm_settle_waiting: [ANY_FENCE] },
  /** A delivery that took its worker with it is one like all others. */
  withoutCount: { ipm_recover_deliveries: [['lost_with = d.lost_with + 1', 'lost_with = 0']] },
  /** Failures of an earlier activation count. */
  withoutActivation: { ipm_note_lanes: [['AND w.activation = u.activation', '']] },
} as const satisfies Record<string, Record<string, readonly Mistake[]>>;

export type DeliverySabotage = keyof typeof deliverySabotage;

export async function sabotageDeliveries(
  database: Pick<TestDatabase, 'asOwner'>,
  sabotage: DeliverySabotage,
): Promise<void> {
  for (const [name, mistakes] of Object.entries<readonly Mistake[]>(deliverySabotage[sabotage]))
    await sabotagedFunction(database, name, mistakes);
}

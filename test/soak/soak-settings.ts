import { deliverySabotage, sabotageDeliveries, type DeliverySabotage } from '../faults/support/delivery-sabotage.js';
import { logSabotage, sabotageLog, type LogSabotage } from '../faults/support/log-sabotage.js';
import type { TestDatabase } from '../support/database.js';

export interface SoakSettings {
  minutes: number;
  sabotage: DeliverySabotage | LogSabotage | undefined;
  reportFile: string | undefined;
}

/** As scripts/soak.mjs hands them over. */
export function soakSettings(): SoakSettings {
  const { SOAK_MINUTES, SOAK_SABOTAGE, SOAK_REPORT } = process.env;
  return { minutes: Number(SOAK_MINUTES ?? 10), sabotage: known(SOAK_SABOTAGE), reportFile: SOAK_REPORT };
}

export async function sabotaged(database: TestDatabase, sabotage: SoakSettings['sabotage']): Promise<void> {
  if (sabotage === undefined) return;
  if (isOfLog(sabotage)) await sabotageLog(database, sabotage);
  else await sabotageDeliveries(database, sabotage);
}

function known(sabotage: string | undefined): SoakSettings['sabotage'] {
  if (sabotage === undefined || isOfLog(sabotage)) return sabotage;
  if (sabotage in deliverySabotage) return sabotage as DeliverySabotage;
  const names = [...Object.keys(deliverySabotage), ...Object.keys(logSabotage)];
  throw new Error(`there is no sabotage ${sabotage}; there are ${names.join(', ')}`);
}

function isOfLog(sabotage: string): sabotage is LogSabotage {
  return sabotage in logSabotage;
}

import type { NewOperationRun } from '../operations/operation-runs.service.js';

/** What the operation run of a rollup is called, from its order to its end. */
export function rollupRun(orgcode: string, rollupId: string, initiator: string): NewOperationRun {
  return { type: 'kpi_rollup', orgcode, subject: `${orgcode}/${rollupId}`, initiator };
}

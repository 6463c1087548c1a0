import type { NewOperationRun } from '../operations/operation-runs.service.js';

/** What the operation run of a replay is called, from its order to its end. */
export function replayRun(orgcode: string, replayId: string, initiator: string): NewOperationRun {
  return { type: 'webhook_replay', orgcode, subject: `${orgcode}/${replayId}`, initiator };
}

/** A kind of long work, as operators see it. */
export interface OperationType {
  label: string;
  /** A worker that was silent for so long is gone. */
  runningSeconds: number;
  /** Whoever waited for so long waits behind many others, or for workers that are not there. */
  queuedSeconds: number;
}

const HOUR = 3_600;

/** Every long piece of work of the product. A spec compares this list with what the rooms run. */
export const operationTypes: Readonly<Record<string, OperationType>> = {
  // These live by the lease of their job, which is extended at least every 150 seconds.
  bulk_import: { label: 'Import', runningSeconds: 300, queuedSeconds: HOUR },
  bulk_export: { label: 'Export', runningSeconds: 300, queuedSeconds: HOUR },
  webhook_replay: { label: 'Replay to a webhook', runningSeconds: 120, queuedSeconds: HOUR },
  webhook_catch_up: { label: 'Catch-up of a webhook', runningSeconds: 120, queuedSeconds: HOUR },
  event_retention: { label: 'Retention of events', runningSeconds: 120, queuedSeconds: HOUR },
  kpi_rollup: { label: 'Rollup of KPIs', runningSeconds: 120, queuedSeconds: HOUR },
  own_kpis: { label: "IPM's own KPIs", runningSeconds: 120, queuedSeconds: HOUR },
  dead_letter_bulk_act: { label: 'Act on many dead letters', runningSeconds: 120, queuedSeconds: HOUR },
  secret_reencryption: { label: 'Re-encryption of secrets', runningSeconds: 120, queuedSeconds: HOUR },
};

/** Also of a process that is newer or older than this one. */
const UNKNOWN: OperationType = { label: 'Work of another version', runningSeconds: 300, queuedSeconds: HOUR };

export function operationTypeOf(type: string): OperationType {
  return Object.hasOwn(operationTypes, type) ? (operationTypes[type] ?? UNKNOWN) : UNKNOWN;
}

/** What a worker says its heartbeat by, so often that three of four may be lost. */
export function beatEveryMs(type: string): number {
  return (operationTypeOf(type).runningSeconds * 1_000) / 4;
}

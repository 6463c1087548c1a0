import { EventLogModule } from '../cdc/event-log.module.js';
import { EventPartitions, type LogStanding } from '../cdc/event-partitions.service.js';
import { DeliveryStandingModule } from '../delivery/delivery-standing.module.js';
import { DeliveryStanding } from '../delivery/delivery-standing.service.js';
import { OperationRuns } from '../operations/operation-runs.service.js';
import { OperationsModule } from '../operations/operations.module.js';
import { ok, warning, type Finding } from './doctor-finding.js';
import { withServices } from './operator.js';

const LATE_SECONDS = 60;
const RUNBOOK = 'docs/operations.md, "When an alert rings"';

interface WorkStanding {
  deliveries: Awaited<ReturnType<DeliveryStanding['figures']>>;
  runs: Awaited<ReturnType<OperationRuns['standing']>>;
  log: LogStanding;
}

/** What waits and what is stuck, where the stores are well enough to be asked. */
export async function examineWork(): Promise<Finding[]> {
  try {
    return await withServices(
      async (services) =>
        workFindings({
          deliveries: await services.get(DeliveryStanding).figures(),
          runs: await services.get(OperationRuns).standing(),
          log: await services.get(EventPartitions).standing(),
        }),
      [DeliveryStandingModule, EventLogModule, OperationsModule],
    );
  } catch (error) {
    const message = `cannot be looked at: ${error instanceof Error ? error.message : String(error)}`;
    return [warning('work', message, 'mend what failed above, then run ipm doctor again')];
  }
}

export function workFindings({ deliveries, runs, log }: WorkStanding): Finding[] {
  const { due, oldestSeconds, behind, lagSeconds, dead } = deliveries;
  return [
    lagSeconds > LATE_SECONDS
      ? warning(
          'routing',
          `${behind} organisations are behind, the oldest event for ${lasting(lagSeconds)}`,
          `see whether a worker runs; ${RUNBOOK}, IpmRouterLate`,
        )
      : ok('routing', behind === 0 ? 'all events are routed' : `${behind} organisations are being routed`),
    oldestSeconds > LATE_SECONDS
      ? warning(
          'deliveries',
          `${due} could be sent and are not, the oldest for ${lasting(oldestSeconds)}`,
          `see whether a worker runs and its window has room; ${RUNBOOK}, IpmDeliveriesLate`,
        )
      : ok('deliveries', `${due} are due; ${dead} dead letters are kept`),
    runs.likely_stale > 0
      ? warning(
          'operation runs',
          `${runs.likely_stale} are silent or wait too long`,
          `GET /api/admin/operations?freshness_state=likely_stale; ${RUNBOOK}, IpmRunsStale`,
        )
      : ok('operation runs', `${runs.fresh_active} at work`),
    log.ahead === 0 && log.drawn > 0
      ? warning('event log', 'no partition stands ready beyond the one in use', `${RUNBOOK}, IpmNoRoomAhead`)
      : ok('event log', `${log.count} partitions, ${log.ahead} of them ahead`),
  ];
}

function lasting(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}

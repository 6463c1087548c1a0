import { execFile } from 'node:child_process';
import { inShort } from '../faults/support/ledger.js';
import { deliveryState, isQuiet, type DeliveryState } from '../faults/support/delivery-state.js';
import { logState, type LogState } from '../faults/support/log-state.js';
import { productEnvironment } from '../support/environment.js';
import { examplesOfExtra } from './extra-arrivals.js';
import type { SoakBulk } from './soak-bulk.js';
import type { SoakStage } from './soak-stage.js';

export interface Verdict {
  complaints: string[];
  figures: Record<string, number>;
}

/** Everything that was written down against everything that is there. */
export async function verdict(stage: SoakStage, bulk: SoakBulk, extraAtMost: number): Promise<Verdict> {
  const { database, ledger, sink } = stage;
  const log = await logState(
    database,
    stage.scenes.map(({ orgcode }) => orgcode),
  );
  const state = await deliveryState(database);
  const givenUp = await callsGivenUp(stage);
  const most = extraAtMost + givenUp;
  const { extra } = ledger.deliveries.figures(sink.arrivals, state);
  return {
    complaints: [
      ...ledger.complaints(log),
      ...ledger.deliveries.complaints(sink.arrivals, state, most),
      ...(extra > most ? examplesOfExtra(sink.arrivals) : []),
      ...(await unrest(stage)),
      ...(await bulk.complaints()),
      ...(await openRuns(stage)),
      ...(await brokenAudit(stage)),
    ],
    figures: { ...figures(stage, log, state), givenUp, ...bulk.figures },
  };
}

function figures({ ledger, sink }: SoakStage, log: LogState, state: DeliveryState): Record<string, number> {
  const { acknowledged, answersLost, read } = ledger.figures(log);
  const { wanted, arrivals, extra, mostExtra, dead, lostWith, medianMs, p95Ms, slowestMs } = ledger.deliveries.figures(
    sink.arrivals,
    state,
  );
  return {
    acknowledged,
    answersLost,
    inLog: log.events.length,
    read,
    deliveries: wanted,
    arrivals,
    extra,
    mostExtra,
    dead,
    lostWith,
    medianMs,
    p95Ms,
    slowestMs,
  };
}

/** Calls that had no answer in their time, on a machine that is too busy: the endpoint may have taken what they brought. */
async function callsGivenUp({ database }: SoakStage): Promise<number> {
  const [row] = await database.asOwner<{ calls: number }>(
    `select count(*)::int as calls from delivery_attempt where error_tag = 'timeout'`,
  );
  return row!.calls;
}

async function unrest({ database }: SoakStage): Promise<string[]> {
  return (await isQuiet(database)) ? [] : ['stuck: something is still to come'];
}

async function openRuns({ database }: SoakStage): Promise<string[]> {
  const open = await database.asOwner<{ what: string }>(`
    select 'run ' || id || ' of ' || type || ' is ' || status as what from operation_run where status <> 'completed'
    union all select 'job ' || job_id || ' is ' || status from bulk_job where status not in ('completed', 'failed')`);
  return inShort(
    'open',
    open.map(({ what }) => what),
  );
}

/** As an operator asks. */
function brokenAudit({ database, settings }: SoakStage): Promise<string[]> {
  const env = { PATH: process.env.PATH, ...productEnvironment(database.url, settings) };
  return new Promise((resolve) =>
    execFile(process.execPath, ['bin/ipm.mjs', 'audit', 'verify', '--json'], { env }, (error, stdout, stderr) =>
      resolve(error ? [`audit: ${stdout || stderr}`] : []),
    ),
  );
}

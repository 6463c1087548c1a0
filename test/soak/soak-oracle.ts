import { execFile } from 'node:child_process';
import { inShort } from '../faults/support/ledger.js';
import { deliveryState, isQuiet, type DeliveryState } from '../faults/support/delivery-state.js';
import { logState, type LogState } from '../faults/support/log-state.js';
import { productEnvironment } from '../support/environment.js';
import { examplesOfExtra } from './extra-arrivals.js';
import type { TestDatabase } from '../support/database.js';
import type { SoakBulk } from './soak-bulk.js';
import type { SoakStage } from './soak-stage.js';

const NOTED = 20;

export interface Verdict {
  complaints: string[];
  /** What explains figures. */
  notes: string[];
  figures: Record<string, number>;
}

/** Everything that was written down against everything that is there. */
export async function verdict(
  stage: SoakStage,
  bulk: SoakBulk,
  { extraAtMost, restedAt }: { extraAtMost: number; restedAt: Date },
): Promise<Verdict> {
  const { database, ledger, sink } = stage;
  const log = await logState(
    database,
    stage.scenes.map(({ orgcode }) => orgcode),
  );
  const state = await deliveryState(database);
  const givenUp = await callsGivenUp(stage);
  const most = extraAtMost + givenUp.length;
  const { extra } = ledger.deliveries.figures(sink.arrivals, state);
  return {
    complaints: [
      ...ledger.complaints(log),
      ...ledger.deliveries.complaints(sink.arrivals, state, most),
      ...(extra > most ? examplesOfExtra(sink.arrivals) : []),
      ...(await unrest(stage)),
      ...(await bulk.complaints()),
      ...inShort('open', await openRuns(stage.database, restedAt)),
      ...(await brokenAudit(stage)),
    ],
    notes: givenUp
      .slice(0, NOTED)
      .map(({ at, path, afterMs, attempt }) => `given up at ${at}: attempt ${attempt} at ${path}, after ${afterMs} ms`),
    figures: { ...figures(stage, log, state), givenUp: givenUp.length, ...bulk.figures },
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

interface GivenUp {
  at: string;
  path: string;
  afterMs: number;
  attempt: number;
}

/** Calls that had no answer in their time, on a machine that is too busy: the endpoint may have taken what they brought. */
function callsGivenUp({ database }: SoakStage): Promise<GivenUp[]> {
  return database.asOwner<GivenUp>(`
    select to_char(a.at at time zone 'UTC', 'HH24:MI:SS.MS') as at, w.endpoint_url as path, a.duration_ms as "afterMs", a.attempt
    from delivery_attempt a join webhook w using (lane) where a.error_tag = 'timeout' order by a.at`);
}

async function unrest({ database }: SoakStage): Promise<string[]> {
  return (await isQuiet(database)) ? [] : ['stuck: something is still to come'];
}

/** What was begun before then and has not ended; some begin by the clock, whatever happens. */
export async function openRuns({ asOwner }: Pick<TestDatabase, 'asOwner'>, before = new Date()): Promise<string[]> {
  const open = await asOwner<{ what: string }>(
    `select 'run ' || id || ' of ' || type || ' is ' || status || ', its worker was heard of at ' || coalesce(heartbeat_at::text, 'no time') as what
     from operation_run where status <> 'completed' and created_at < $1
     union all select 'job ' || job_id || ' is ' || status from bulk_job where status not in ('completed', 'failed') and created_at < $1`,
    [before],
  );
  return open.map(({ what }) => what);
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

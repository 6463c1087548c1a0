import { once } from 'node:events';
import { createWriteStream, openAsBlob } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CopyBaseline } from './copy-baseline.mjs';
import { CpuMeter } from './cpu-meter.mjs';
import { DurableStores } from './durable-stores.mjs';
import { EVENT_BYTES, eventsOfSize, eventTemplate, writeId, writeTime } from './events.mjs';
import { call, organisations, startIpm, writeGrounds } from './ipm-server.mjs';
import { PeakMemory } from './peak-memory.mjs';
import { SingleCaller } from './single-caller.mjs';
import { SelectBaseline } from './select-baseline.mjs';
import { figuresOver, judgedAlone } from './report.mjs';

const LINES_A_WRITE = 600;
const POLL_MS = 50;
const NEIGHBOUR = 'neighbour';
const BASELINE_SECONDS = 8;
const QUIET_SECONDS = 5;

/** Imports of a file and exports of what it brought, with the memory of the process, beside COPY and SELECT of the same rows. */
export async function measure(
  { runs = 3, events: lines = 100_000, eventBytes = EVENT_BYTES, apart = false },
  progress,
) {
  const stores = await DurableStores.start(progress);
  try {
    const environment = { RATE_LIMIT_BULK_PER_MIN: '1000000', BULK_JOBS_PER_ORGANISATION: '1' };
    const ipm = await installation(stores, environment, apart);
    const [neighbour] = await organisations(ipm, [NEIGHBOUR]);
    const results = [];
    for (let run = 1; run <= runs; run += 1) {
      const file = path.join(stores.folder, `lines-${run}.ndjson`);
      await writeLines(file, lines, eventBytes, run);
      results.push(await round(ipm, neighbour, file, lines));
      const { imported, exported } = results.at(-1);
      progress(
        `run ${run}: import ${rate(imported).toFixed(0)}/s in ${imported.peakMb.toFixed(0)} MB, export ${rate(exported).toFixed(0)}/s in ${exported.peakMb.toFixed(0)} MB`,
      );
    }
    const baselines = await baselinesOf(stores, ipm, progress);
    const { figures, notes } = judgedAlone(figuresOf(results, baselines), results);
    return { how: how({ lines, eventBytes, apart }), figures, notes };
  } finally {
    await stores.stop();
  }
}

/** One process for all, or an API and a worker over the same files. `worker` is the pid of who works on jobs. */
async function installation(stores, environment, isApart) {
  if (!isApart) {
    const ipm = await startIpm(stores, { environment });
    return { ...ipm, worker: ipm.pid };
  }
  const api = await startIpm(stores, { environment, role: 'api' });
  const { IPM_DATA_DIR: dataDir } = api.environment;
  const { pid } = await startIpm(stores, { environment: api.environment, role: 'worker', name: 'worker', dataDir });
  return { ...api, worker: pid };
}

async function round(ipm, neighbour, file, lines) {
  const cpu = new CpuMeter({
    server: [...new Set([ipm.pid, ipm.worker])],
    postgres: ipm.postgresPid,
    redis: ipm.redisPid,
  });
  const quiet = await new SingleCaller(ipm, neighbour).during(() => sleep(QUIET_SECONDS * 1000));
  const created = await asked(ipm, 'bulk/import/create', {});
  await upload(created.upload_url, file);
  const caller = new SingleCaller(ipm, neighbour);
  const { done: imported, latencies } = await caller.during(async () => {
    const { job_id, revision } = created.job;
    return timed(ipm, cpu, () => asked(ipm, 'bulk/import/commit', { job_id, expected_revision: revision }));
  });
  const { processed_count, error_count } = imported.job.output;
  if (processed_count !== lines || error_count !== 0)
    throw new Error(`${processed_count} of ${lines} lines were imported`);
  const exported = await timed(ipm, cpu, () => asked(ipm, 'bulk/export/create', { max_records: lines }));
  if (exported.job.output.record_count !== lines)
    throw new Error(`${exported.job.output.record_count} of ${lines} records were exported`);
  const p95Ms = { quiet: p95(quiet.latencies), whileImporting: p95(latencies) };
  return { imported, exported, p95Ms, otherCores: Math.max(imported.otherCores, exported.otherCores) };
}

/** From the order to the end of the job; the wait for a worker is in it. */
async function timed(ipm, cpu, order) {
  cpu.since();
  const memory = PeakMemory.of(ipm.worker);
  const begun = performance.now();
  let { job } = await order();
  const startedFrom = performance.now();
  while (job.status !== 'completed') {
    if (job.status === 'failed') throw new Error(`the job failed: ${JSON.stringify(job.failure)}`);
    await sleep(POLL_MS);
    ({ job } = await asked(ipm, 'bulk/job/get', { job_id: job.job_id }));
  }
  const used = cpu.since();
  const lines = job.output.line_count ?? job.output.record_count;
  return {
    job,
    lines,
    seconds: (performance.now() - begun) / 1000,
    orderMs: startedFrom - begun,
    peakMb: memory.megabytes(),
    serverMicros: (used.server / lines) * 1e6,
    postgresMicros: (used.postgres / lines) * 1e6,
    otherCores: used.others / used.wall,
  };
}

async function asked(ipm, operation, body) {
  return JSON.parse(await call(ipm, operation, { ...writeGrounds(), ...body })).data;
}

async function upload(url, file) {
  const headers = { 'content-type': 'application/x-ndjson' };
  const answer = await fetch(url, { method: 'PUT', body: await openAsBlob(file), headers });
  if (!answer.ok) throw new Error(`the upload answered ${answer.status}: ${await answer.text()}`);
}

async function writeLines(file, lines, eventBytes, salt) {
  const types = eventsOfSize(eventBytes);
  const one = Array.from({ length: LINES_A_WRITE }, (_, i) => `${JSON.stringify(types[i % types.length])}\n`);
  const output = createWriteStream(file);
  for (let done = 0; done < lines;) {
    const size = Math.min(LINES_A_WRITE, lines - done);
    const { bytes, idsAt, timesAt } = eventTemplate(one.slice(0, size).join(''));
    idsAt.forEach((at, i) => writeId(bytes, at, done + i, salt * 16));
    for (const at of timesAt) writeTime(bytes, at, Date.now() - 30 * 24 * 3_600_000);
    if (!output.write(bytes)) await once(output, 'drain');
    done += size;
  }
  output.end();
  await once(output, 'close');
}

async function baselinesOf(stores, ipm, progress) {
  const copy = await CopyBaseline.prepare(stores, ipm.databaseUrl);
  const copied = await copy.run(BASELINE_SECONDS);
  await copy.end();
  const select = await SelectBaseline.on(ipm.databaseUrl);
  const selected = await select.run(path.join(stores.folder, 'selected.ndjson'));
  await select.end();
  progress(`COPY ${copied.toFixed(0)} rows/s, SELECT to a file ${selected.toFixed(0)} rows/s`);
  return { copied, selected };
}

function rate({ lines, seconds }) {
  return lines / seconds;
}

function p95(latencies) {
  return [...latencies].sort((a, b) => a - b)[Math.floor(latencies.length * 0.95)];
}

function figuresOf(results, { copied, selected }) {
  const show = figuresOver(results);
  const ratio = { digits: 3 };
  return [
    show('import', 'lines/s', ({ imported }) => rate(imported), { atLeast: 30_000 }),
    show('  of COPY into the same tables', 'ratio', ({ imported }) => rate(imported) / copied, ratio),
    show('  peak memory of the process', 'MB', ({ imported }) => imported.peakMb, { atMost: 300 }),
    show('  CPU of the server a line', 'µs', ({ imported }) => imported.serverMicros, { digits: 1 }),
    show('  CPU of Postgres a line', 'µs', ({ imported }) => imported.postgresMicros, { digits: 1 }),
    show('export', 'lines/s', ({ exported }) => rate(exported), { atLeast: 60_000 }),
    show('  of a plain SELECT to a file', 'ratio', ({ exported }) => rate(exported) / selected, ratio),
    show('  peak memory of the process', 'MB', ({ exported }) => exported.peakMb, { atMost: 300 }),
    show('  CPU of the server a line', 'µs', ({ exported }) => exported.serverMicros, { digits: 1 }),
    show('  CPU of Postgres a line', 'µs', ({ exported }) => exported.postgresMicros, { digits: 1 }),
    show('publish of another organisation, p95, idle', 'ms', ({ p95Ms }) => p95Ms.quiet, { digits: 1 }),
    show('  p95 while a file is imported', 'ms', ({ p95Ms }) => p95Ms.whileImporting, { digits: 1 }),
    show('order of an import', 'ms', ({ imported }) => imported.orderMs, { digits: 1 }),
    show('cores busy: others', 'cores', ({ otherCores }) => otherCores, { digits: 2 }),
  ];
}

function how({ lines, eventBytes, apart }) {
  return [
    `${lines} lines of ${eventBytes} bytes (six types of the catalog, checked and redacted), one organisation, ${apart ? 'an API and a worker' : 'role all'}, files in a folder; from the order to the end of the job, the wait for a worker (half a second at most) included`,
    'peak memory: VmHWM of the process that works on jobs, counted anew for each job',
    'publish: 50 calls a second of one event each, of an organisation that imports nothing',
    'COPY: text, from files of the server, 100,000 of the same rows in a transaction, into tables like a partition and the ledger; SELECT: one statement, read row by row over the socket into a file',
  ];
}

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BulkScene, SeenJob } from '../../support/bulk-scene.js';
import type { ProductProcess } from '../../support/product-process.js';
import { until } from '../../support/until.js';
import { bulkFile } from './bulk-file.js';
import { exportComplaints, importComplaints, wholeFeed } from './bulk-oracle.js';
import type { BulkStage } from './bulk-stage.js';
import type { Judgement } from './trial.js';
import { changed, type WorkerChange } from './worker-change.js';

export interface Standstill {
  /** Before what the first worker stands still: a step, the report, a part or the completion of the file. */
  at: 'step' | 'report' | 'part' | 'completion';
  /** When it goes on: while another is at the job, or when that has ended it. */
  goesOn: 'taken over' | 'ended';
  sabotage?: WorkerChange;
}

/** A page or two, and a part or four. */
const FILE = { import: { lines: 4_000, bad: 80 }, export: { lines: 5_000, bad: 0, filling: 6_000 } } as const;
const STANDS_STILL_WITHIN_MS = 30_000;
const ENDS_WITHIN_MS = 40_000;
const WAKES_UP_MS = 8_000;

/** A worker stands still for longer than its lease, and goes on: another has its import by then, and nothing that it does counts. */
export async function frozenImport(stage: BulkStage, standstill: Standstill): Promise<Judgement> {
  const scene = await stage.scene();
  const file = bulkFile(stage.random, FILE.import);
  await stage.slowSteps(0.1);
  const figures = await standStill(stage, scene, standstill, await scene.imported(file.text));
  return {
    seed: stage.random.seed,
    complaints: await importComplaints(stage, scene, figures.job, file),
    figures,
  };
}

/** The same with an export. */
export async function frozenExport(stage: BulkStage, standstill: Standstill): Promise<Judgement> {
  const scene = await stage.scene();
  const first = await stage.worker();
  await scene.ended((await scene.imported(bulkFile(stage.random, FILE.export).text)).job_id, ENDS_WITHIN_MS);
  await first.stop();
  const feed = await wholeFeed(scene);
  await stage.server.faults.set({ delayMs: 200 });
  const { job } = await scene.done<{ job: SeenJob }>('bulk/export/create', { max_records: feed.length });
  const figures = await standStill(stage, scene, standstill, job);
  return {
    seed: stage.random.seed,
    complaints: await exportComplaints(stage, scene, figures.job, feed),
    figures,
  };
}

async function standStill(
  stage: BulkStage,
  scene: BulkScene,
  { at, goesOn, sabotage }: Standstill,
  { job_id }: SeenJob,
): Promise<{ job: string; fence: number }> {
  const changes: WorkerChange[] = sabotage ? [sabotage, 'stands-still'] : ['stands-still'];
  const frozen = await stage.worker({ ...changed(...changes), STANDS_STILL_AT: at });
  await until(() => isStopped(frozen), STANDS_STILL_WITHIN_MS);
  const before = await stage.place(scene, job_id);
  await stage.worker();
  if (goesOn === 'ended') await scene.ended(job_id, ENDS_WITHIN_MS);
  else await stage.untilFurther(scene, job_id, before);
  frozen.child.kill('SIGCONT');
  await scene.ended(job_id, ENDS_WITHIN_MS);
  await noticed(frozen);
  return { job: job_id, fence: Number((await stage.place(scene, job_id)).fence) };
}

function isStopped({ child }: ProductProcess): boolean {
  return /\) T /.test(readFileSync(`/proc/${child.pid}/stat`, 'utf8'));
}

/** Until it has said that it lost the job; a sabotaged one never does. */
async function noticed(worker: ProductProcess): Promise<void> {
  const lastMs = Date.now() + WAKES_UP_MS;
  while (!worker.output.includes('was taken over') && Date.now() < lastMs) await sleep(50);
}

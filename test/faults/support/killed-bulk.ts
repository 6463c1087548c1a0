import { setTimeout as sleep } from 'node:timers/promises';
import type { BulkScene, SeenJob } from '../../support/bulk-scene.js';
import { until } from '../../support/until.js';
import { bulkFile, type FileForm } from './bulk-file.js';
import { exportComplaints, importComplaints, wholeFeed } from './bulk-oracle.js';
import type { BulkStage } from './bulk-stage.js';
import type { Settings } from './delivery-stage.js';
import type { Judgement } from './trial.js';
import { changed } from './worker-change.js';

export interface BulkKills {
  file: FileForm;
  /** At most: the job may be done before. */
  kills: number;
  /** From a step of the job to the kill. */
  afterMs: readonly [least: number, most: number];
  endsWithinMs: number;
  /** Of the workers: a sabotage. */
  settings?: Settings;
}

/**
 * F16. The worker of an import is killed with -9 again and again, at any moment, and another goes on. In the end each valid line is in
 * the log once, and the report names the bad ones.
 */
export async function killedImport(stage: BulkStage, kills: BulkKills): Promise<Judgement> {
  const scene = await stage.scene();
  const file = bulkFile(stage.random, kills.file);
  const job = await scene.imported(file.text);
  const killed = await killAgainAndAgain(stage, scene, job, kills);
  const { complaints, figures } = {
    complaints: await importComplaints(stage, scene, job.job_id, file),
    figures: killed,
  };
  return {
    seed: stage.random.seed,
    complaints,
    figures: { ...figures, lines: file.lineCount, bad: file.badLines.length },
  };
}

/** The same with an export: its file is the feed, and no parts of it are left in the store. */
export async function killedExport(stage: BulkStage, kills: BulkKills): Promise<Judgement> {
  const scene = await stage.scene();
  const first = await stage.worker();
  const filled = await scene.imported(bulkFile(stage.random, kills.file).text);
  await scene.ended(filled.job_id, kills.endsWithinMs);
  await first.stop('SIGKILL');
  const feed = await wholeFeed(scene);
  await stage.server.faults.set({ delayMs: 150 });
  const { job } = await scene.done<{ job: SeenJob }>('bulk/export/create', { max_records: feed.length });
  const killed = await killAgainAndAgain(stage, scene, job, kills);
  await stage.server.faults.set({});
  const complaints = await exportComplaints(stage, scene, job.job_id, feed);
  return { seed: stage.random.seed, complaints, figures: { ...killed, records: feed.length } };
}

/** The worker is killed when the file is complete and the job not yet: whoever comes next finds the file, and does not write it again. */
export async function killedAtTheEnd(stage: BulkStage, { file, endsWithinMs }: BulkKills): Promise<Judgement> {
  const scene = await stage.scene();
  const first = await stage.worker();
  await scene.ended((await scene.imported(bulkFile(stage.random, file).text)).job_id, endsWithinMs);
  await first.stop();
  const feed = await wholeFeed(scene);
  const { job } = await scene.done<{ job: SeenJob }>('bulk/export/create', { max_records: feed.length });
  const doomed = await stage.worker(changed('dies-before-the-end'));
  await until(() => doomed.child.signalCode === 'SIGKILL', endsWithinMs);
  const written = await stage.writtenAt('events');
  await stage.worker();
  await scene.ended(job.job_id, endsWithinMs);
  const complaints = await exportComplaints(stage, scene, job.job_id, feed);
  if ((await stage.writtenAt('events')) !== written) complaints.push('again: the file was written once more');
  return { seed: stage.random.seed, complaints, figures: { records: feed.length } };
}

async function killAgainAndAgain(
  stage: BulkStage,
  scene: BulkScene,
  { job_id }: SeenJob,
  { kills, afterMs, endsWithinMs, settings = {} }: BulkKills,
): Promise<{ kills: number; steps: number }> {
  let place = await stage.place(scene, job_id);
  const steps = new Set<string>();
  let killed = 0;
  while (killed < kills) {
    const worker = await stage.worker(settings);
    place = await stage.untilFurther(scene, job_id, place);
    if (place.status !== 'running') break;
    steps.add(place.steps);
    await sleep(stage.random.between(...afterMs));
    await worker.stop('SIGKILL');
    killed += 1;
    place = await stage.place(scene, job_id);
  }
  await stage.worker(settings);
  await scene.ended(job_id, endsWithinMs);
  return { kills: killed, steps: steps.size };
}

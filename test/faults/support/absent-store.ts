import { setTimeout as sleep } from 'node:timers/promises';
import type { BulkScene, SeenJob } from '../../support/bulk-scene.js';
import type { S3Server } from '../../support/s3-server/start.js';
import { bulkFile } from './bulk-file.js';
import { exportComplaints, importComplaints, wholeFeed } from './bulk-oracle.js';
import type { BulkStage } from './bulk-stage.js';
import type { Judgement } from './trial.js';

export type StoreTrouble = Parameters<S3Server['faults']['set']>[0];

/** Whoever reads in between is cut off after a while, and comes again. */
const BETWEEN = { delayMs: 100, breakGets: 1 };
const ENDLESS = 1_000_000;

/** What a store does to those who need it. */
export const TROUBLES = {
  full: { refuseNext: ENDLESS, refuseWith: 'InsufficientStorage' },
  away: { refuseNext: ENDLESS, refuseWith: 'InternalError' },
  slow: { delayMs: 700, breakGets: 1 },
  cutting: { breakGets: 3 },
  forgetful: { loseAnswers: 2, breakGets: 1 },
} as const satisfies Record<string, StoreTrouble>;

const FILE = { lines: 6_000, bad: 60, filling: 6_000 };
const ENDS_WITHIN_MS = 60_000;

/** F13 in small. The store is in trouble in the middle of an import and of an export, and heals: both go on and end well. */
export async function troubledStore(
  stage: BulkStage,
  troubles: readonly StoreTrouble[],
  lastsMs: number,
): Promise<Judgement & { figures: { records: number; waits: number } }> {
  const { seed } = stage.random;
  const scene = await stage.scene();
  const file = bulkFile(stage.random, FILE);
  await stage.slowSteps(0.1);
  const worker = await stage.worker();
  await stage.server.faults.set(BETWEEN);
  const job = await scene.imported(file.text);
  await trouble(stage, scene, job, troubles, lastsMs);
  const complaints = await importComplaints(stage, scene, job.job_id, file);
  const feed = await wholeFeed(scene);
  await stage.server.faults.set(BETWEEN);
  const { job: order } = await scene.done<{ job: SeenJob }>('bulk/export/create', { max_records: feed.length });
  await trouble(stage, scene, order, troubles, lastsMs);
  complaints.push(...(await exportComplaints(stage, scene, order.job_id, feed)));
  return {
    seed,
    complaints,
    figures: { records: feed.length, waits: worker.output.split('a bulk job waits and goes on').length - 1 },
  };
}

async function trouble(
  stage: BulkStage,
  scene: BulkScene,
  { job_id }: SeenJob,
  troubles: readonly StoreTrouble[],
  lastsMs: number,
): Promise<void> {
  let place = { ...(await stage.place(scene, job_id)), fence: '' };
  for (const next of troubles) {
    place = { ...(await stage.untilFurther(scene, job_id, place)), fence: '' };
    await stage.server.faults.set(next);
    await sleep(lastsMs);
    const { status } = await stage.place(scene, job_id);
    if (status === 'failed') break;
    await stage.server.faults.set(BETWEEN);
  }
  await stage.server.faults.set({});
  await scene.ended(job_id, ENDS_WITHIN_MS);
}

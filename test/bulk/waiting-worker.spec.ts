import { TROUBLES } from '../faults/support/absent-store.js';
import { bulkFile, type BulkFile } from '../faults/support/bulk-file.js';
import { importComplaints } from '../faults/support/bulk-oracle.js';
import { BulkStage, LEASE_MS } from '../faults/support/bulk-stage.js';
import type { BulkScene, SeenJob } from '../support/bulk-scene.js';
import { until } from '../support/until.js';

jest.setTimeout(120_000);

/** As Postgres says it; in the middle of the transaction of a step. */
const FULL = `
  create function disk_is_full() returns trigger language plpgsql as $$ begin raise 'no space left on device' using errcode = '53100'; end $$;
  create trigger disk_is_full before insert on event for each statement execute function disk_is_full()`;

describe('a worker that has to wait, or to stop', () => {
  let stage: BulkStage;
  let scene: BulkScene;
  let file: BulkFile;
  let job: SeenJob;
  beforeEach(async () => {
    stage = await BulkStage.open();
    scene = await stage.scene();
    file = bulkFile(stage.random, { lines: 6_000, bad: 60 });
    await stage.slowSteps(0.2);
  });
  afterEach(() => stage.close());
  const begun = async (): Promise<void> => {
    job = await scene.imported(file.text);
    await stage.untilFurther(scene, job.job_id, await stage.place(scene, job.job_id));
  };
  const ended = async (): Promise<string[]> => {
    await scene.ended(job.job_id, 40_000);
    return importComplaints(stage, scene, job.job_id, file);
  };

  it('keeps a job while the disk of Postgres is full, and goes on when there is room', async () => {
    await stage.worker();
    await begun();
    await stage.database.asOwner(FULL);
    const { fence } = await stage.place(scene, job.job_id);
    await new Promise((resolve) => setTimeout(resolve, 3 * LEASE_MS));
    expect(await stage.place(scene, job.job_id)).toMatchObject({ status: 'running', fence });
    await stage.database.asOwner('drop trigger disk_is_full on event');
    expect(await ended()).toEqual([]);
  });

  it('gives a job back when it is told to stop, and another goes on at once', async () => {
    const worker = await stage.worker();
    await begun();
    expect(await worker.stop('SIGTERM')).toBe(0);
    expect(await stage.place(scene, job.job_id)).toMatchObject({ status: 'queued' });
    await stage.worker();
    expect(await ended()).toEqual([]);
  });

  it('gives it back also while it waits for a store', async () => {
    const worker = await stage.worker();
    await stage.server.faults.set({ breakGets: 1 });
    await begun();
    await stage.server.faults.set(TROUBLES.away);
    await until(() => worker.output.includes('a bulk job waits and goes on'), 30_000);
    expect(await worker.stop('SIGTERM')).toBe(0);
    expect(await stage.place(scene, job.job_id)).toMatchObject({ status: 'queued' });
    await stage.server.faults.set({});
    await stage.worker();
    expect(await ended()).toEqual([]);
  });
});

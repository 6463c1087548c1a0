import { setTimeout as sleep } from 'node:timers/promises';
import { bulkFile, type BulkFile } from '../faults/support/bulk-file.js';
import { exportComplaints, importComplaints, wholeFeed } from '../faults/support/bulk-oracle.js';
import { logState } from '../faults/support/log-state.js';
import type { Random } from '../faults/support/random.js';
import { BulkScene, type SeenJob } from '../support/bulk-scene.js';
import { until } from '../support/until.js';
import type { SoakLoad } from './soak-load.js';
import type { SoakStage } from './soak-stage.js';

const BETWEEN_MS = [5_000, 15_000] as const;
const LINES = [200, 1_200] as const;
const MOST_RECORDS = 5_000;
const UPLOADED_WITHIN_MS = 60_000;
const ENDS_WITHIN_MS = 90_000;

interface Import {
  scene: BulkScene;
  jobId: string;
  file: BulkFile;
}

interface Export {
  scene: BulkScene;
  jobId: string;
  records: number;
}

/** Now and then an import, and an export of what readers have seen. */
export class SoakBulk {
  private readonly imports: Import[] = [];
  private readonly exports: Export[] = [];
  private readonly scenes: readonly BulkScene[];
  private readonly working: Promise<void>;
  private isOver = false;
  private nextAtMs = 0;

  constructor(
    private readonly stage: SoakStage,
    private readonly load: SoakLoad,
    private readonly random: Random,
  ) {
    this.scenes = stage.scenes.map((scene) => BulkScene.on(stage.way, scene));
    this.working = this.work().catch((error: unknown) => stage.ledger.strange(`bulk: ${String(error)}`));
  }

  get figures(): Record<string, number> {
    const lines = this.imports.reduce((sum, { file }) => sum + file.lineCount, 0);
    return { imports: this.imports.length, importedLines: lines, exports: this.exports.length };
  }

  /** The next one at once. */
  hurry(): void {
    this.nextAtMs = 0;
  }

  /** No more of them; those that were begun come to their end. */
  async leave(): Promise<void> {
    this.isOver = true;
    await this.working;
    for (const { scene, jobId } of [...this.imports, ...this.exports])
      await scene.ended(jobId, ENDS_WITHIN_MS).catch(() => undefined); // judged below
  }

  async complaints(): Promise<string[]> {
    const found: string[] = [];
    for (const scene of this.scenes) {
      const log = await logState(this.stage.database, [scene.orgcode]);
      for (const { jobId, file } of this.imports.filter((one) => one.scene === scene))
        found.push(...(await importComplaints(this.stage, scene, jobId, file, log)));
      const feed = await wholeFeed(scene);
      for (const { jobId, records } of this.exports.filter((one) => one.scene === scene))
        found.push(...(await exportComplaints(this.stage, scene, jobId, feed.slice(0, records))));
    }
    return found;
  }

  private async work(): Promise<void> {
    while (!this.isOver) {
      const place = this.random.between(0, this.scenes.length - 1);
      await (this.random.happens(0.5) ? this.import(this.scenes[place]!) : this.export(this.scenes[place]!, place));
      this.nextAtMs = Date.now() + this.random.between(...BETWEEN_MS);
      while (Date.now() < this.nextAtMs && !this.isOver) await sleep(200);
    }
  }

  private async import(scene: BulkScene): Promise<void> {
    const lines = this.random.between(...LINES);
    const file = bulkFile(this.random.branch(), { lines, bad: lines / 50 });
    this.stage.ledger.imports(scene.orgcode, file.events);
    const { job, upload_url } = await scene.done<{ job: SeenJob; upload_url: string }>('bulk/import/create', {
      content_type: 'application/x-ndjson',
    });
    await until(
      async () => (await scene.upload(upload_url, file.text).catch(() => undefined)) === 200,
      UPLOADED_WITHIN_MS,
    );
    // Whoever asks again after a lost answer may be told that it is done already: what counts is how the job ends.
    await scene.call('bulk/import/commit', { job_id: job.job_id, expected_revision: job.revision });
    this.imports.push({ scene, jobId: job.job_id, file });
  }

  private async export(scene: BulkScene, place: number): Promise<void> {
    const records = Math.min(this.load.readOf(place), MOST_RECORDS);
    if (records === 0) return;
    const { job } = await scene.done<{ job: SeenJob }>('bulk/export/create', { max_records: records });
    this.exports.push({ scene, jobId: job.job_id, records });
  }
}

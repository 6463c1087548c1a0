import { setTimeout as sleep } from 'node:timers/promises';
import { anEvent } from '../../support/events.js';
import { until } from '../../support/until.js';
import { bulkFile, type FileForm } from './bulk-file.js';
import { importComplaints } from './bulk-oracle.js';
import type { BulkStage } from './bulk-stage.js';
import type { Settings } from './delivery-stage.js';
import { inShort } from './ledger.js';
import type { SmallDisk } from './small-disk.js';
import type { Judgement } from './trial.js';

interface DiskFigures {
  lines: number;
  acknowledged: number;
  refused: number;
  linesBefore: number;
}

export interface FullDisk {
  file: FileForm;
  /** How long it stays full. */
  fullForMs: number;
  growsToMb: number;
  endsWithinMs: number;
  settings?: Settings;
}

/**
 * F13. The disk below the log is full in the middle of an import, while somebody else publishes; then there is room again. Whatever was
 * answered with 200 is in the log, what was not was told so, and the import ends as if nothing had been.
 */
export async function fullDisk(
  stage: BulkStage,
  disk: SmallDisk,
  options: FullDisk,
): Promise<Judgement & { figures: DiskFigures }> {
  const { file: form, fullForMs, growsToMb, endsWithinMs, settings } = options;
  const scene = await stage.scene();
  const publisher = await stage.scene();
  const file = bulkFile(stage.random, form);
  await stage.worker(settings);
  const { job_id } = await scene.imported(file.text);
  const acknowledged: string[] = [];
  const refusals = new Map<string, number>();
  let isOver = false;
  const publishing = (async () => {
    while (!isOver) {
      const event = anEvent({ payload: { filling: 'x'.repeat(20_000) } });
      const { status, body } = await publisher.call('event/publish', { events: [event] });
      if (status === 200) acknowledged.push(event.event_id as string);
      else
        refusals.set(
          `${status} ${body.error?.error_code}`,
          (refusals.get(`${status} ${body.error?.error_code}`) ?? 0) + 1,
        );
      await sleep(100);
    }
  })();
  await until(() => refusals.size > 0, endsWithinMs);
  await sleep(fullForMs);
  const standing = await stage.place(scene, job_id);
  disk.growTo(growsToMb);
  await scene.ended(job_id, endsWithinMs);
  isOver = true;
  await publishing;
  const logged = new Set(await publisher.logged());
  return {
    seed: stage.random.seed,
    complaints: [
      ...inShort(
        'lost',
        acknowledged.filter((id) => !logged.has(id)),
      ),
      ...[...refusals.keys()].filter((refusal) => !refusal.startsWith('503 ')).map((refusal) => `refused: ${refusal}`),
      ...(standing.status === 'running' ? [] : [`waiting: the import was ${standing.status} while the disk was full`]),
      ...(await importComplaints(stage, scene, job_id, file)),
    ],
    figures: {
      lines: file.lineCount,
      acknowledged: acknowledged.length,
      refused: [...refusals.values()].reduce((sum, count) => sum + count, 0),
      linesBefore: Number(standing.steps),
    },
  };
}

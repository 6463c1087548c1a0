import type { TestApi } from '../../support/api.js';
import { BulkScene, linesOf } from '../../support/bulk-scene.js';
import type { Import } from './repeated-events.js';

const ENDS_WITHIN_MS = 120_000;

/** By way of an application in this process, with whatever worker there is. */
export function importBy(api: TestApi): Import {
  return async (organisation, events) => {
    const scene = BulkScene.on(api, organisation);
    const { job_id } = await scene.imported(linesOf(events));
    const { output } = await scene.ended(job_id, ENDS_WITHIN_MS);
    return Number(output?.processed_count);
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { BulkJob } from '../bulk/bulk.dto.js';
import { BulkReading } from '../bulk/bulk-reading.service.js';
import type { Caller } from '../platform/http/caller.js';
import type { Services } from './operator.js';
import { hideProgress, showProgress } from './output.js';

const POLL_MS = 250;

/** Shows how far a job is until it has ended. */
export async function followed(services: Services, caller: Caller, jobId: string): Promise<BulkJob> {
  try {
    for (;;) {
      const { job } = await services.get(BulkReading).get(caller, jobId);
      if (job.status === 'completed' || job.status === 'failed') return job;
      showProgress(`${job.job_id}: ${lineOf(job)}`);
      await sleep(POLL_MS);
    }
  } finally {
    hideProgress();
  }
}

function lineOf({ status, progress }: BulkJob): string {
  if (status === 'queued' || !progress) return 'waits for a worker';
  const { lines = 0, bytes = 0, total_bytes, lines_per_second = 0, estimated_end } = progress;
  const share = total_bytes ? `${bar(bytes / total_bytes)} ` : '';
  const left = estimated_end ? `, ${secondsUntil(estimated_end)} s left` : '';
  return `${share}${lines} events, ${lines_per_second} a second${left}`;
}

const BAR_WIDTH = 24;

export function bar(share: number): string {
  const full = Math.min(BAR_WIDTH, Math.max(0, Math.round(share * BAR_WIDTH)));
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}] ${Math.floor(Math.min(1, Math.max(0, share)) * 100)} %`;
}

function secondsUntil(time: string): number {
  return Math.max(0, Math.round((Date.parse(time) - Date.now()) / 1_000));
}

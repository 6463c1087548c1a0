import { Lifecycle } from '../platform/lifecycle/lifecycle.js';

export type BulkJobStatus = 'awaiting_upload' | 'queued' | 'running' | 'completed' | 'failed';

export const bulkJobLifecycle = new Lifecycle<BulkJobStatus>({
  service: 'ipm',
  name: 'bulk_job',
  states: ['awaiting_upload', 'queued', 'running', 'completed', 'failed'],
  transitions: [
    { from: 'awaiting_upload', to: 'queued', rule: 'The upload is committed.' },
    { from: 'awaiting_upload', to: 'failed', rule: 'Nothing was committed within 24 hours.' },
    { from: 'queued', to: 'running', rule: 'A worker takes the job.' },
    { from: 'running', to: 'queued', rule: 'Its worker is gone; the job goes on from its checkpoint.' },
    { from: 'running', to: 'completed', rule: 'All lines were read or written; bad lines are in the report.' },
    { from: 'running', to: 'failed', rule: 'It cannot go on; `continue` makes a new job from where it stopped.' },
  ],
});

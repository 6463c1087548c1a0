// A worker that is killed when a job is done, before it has written that down.
import { BulkJobEnds } from '../../../../dist/bulk/bulk-job-ends.service.js';

BulkJobEnds.prototype.end = () => {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
};

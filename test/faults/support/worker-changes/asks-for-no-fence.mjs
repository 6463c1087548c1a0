// Sabotage: a worker that does not ask whether a job is still its own, and ends it anyhow.
import { BulkWorkRepository } from '../../../../dist/bulk/bulk-work.repository.js';
import { ImportReports } from '../../../../dist/bulk/import-reports.service.js';
import { JobLease } from '../../../../dist/bulk/job-lease.js';

JobLease.prototype.assertOurs = () => undefined;
ImportReports.prototype.write = () => Promise.resolve('none');
BulkWorkRepository.prototype.end = (tx, { orgcode, jobId }, { status }) =>
  tx.bulkJob.update({
    where: { orgcode_jobId: { orgcode, jobId } },
    data: { status, leaseUntil: null, endedAt: new Date() },
  });

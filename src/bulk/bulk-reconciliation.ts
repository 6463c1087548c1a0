import { Injectable, type OnModuleInit } from '@nestjs/common';
import { namedIn, OperationAdapters, type StaleRun, type Standing } from '../operations/operation-adapters.service.js';
import { Database } from '../platform/database/database.js';
import { resultOf } from './bulk-job-ends.service.js';
import { BulkJobRepository } from './bulk-job.repository.js';

/** What becomes of the run of an import or export. A job has a lease of its own, by which another worker takes it with its run. */
@Injectable()
export class BulkReconciliation implements OnModuleInit {
  constructor(
    private readonly adapters: OperationAdapters,
    private readonly database: Database,
    private readonly jobs: BulkJobRepository,
  ) {}

  onModuleInit(): void {
    for (const type of ['bulk_import', 'bulk_export']) this.adapters.register(type, (run) => this.standing(run));
  }

  private async standing(run: StaleRun): Promise<Standing> {
    const orgcode = run.orgcode ?? '';
    const job = await this.database.read(orgcode, (db) => this.jobs.find(db, orgcode, namedIn(run)));
    if (!job) return { kind: 'gone' };
    return job.endedAt === null ? { kind: 'held' } : { kind: 'ended', result: resultOf(job) };
  }
}

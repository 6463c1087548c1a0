import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { BulkJobRecord } from './bulk-job.repository.js';
import { BulkUpkeepRepository } from './bulk-upkeep.repository.js';
import { ImportReports } from './import-reports.service.js';

const AT_ONCE = 20;

/** Reports of imports that failed because the store was away: it is back, and the lines that they refused are still known. */
@Injectable()
export class LateReports {
  constructor(
    private readonly database: Database,
    private readonly upkeep: BulkUpkeepRepository,
    private readonly reports: ImportReports,
  ) {}

  /** Answers how many were written. */
  async run(): Promise<number> {
    const owing = await this.database.acrossOrganisations('bulk work', (tx) => this.upkeep.owingReports(tx, AT_ONCE));
    for (const job of owing) await this.write(job);
    return owing.length;
  }

  /** Two workers at once write the same. */
  private async write(job: BulkJobRecord): Promise<void> {
    const { orgcode, prefix, errorCount } = job;
    const lines = await this.database.read(orgcode, (db) => this.upkeep.linesOwed(db, job));
    if (lines.length === 0) return;
    const key = await this.reports.put(prefix, lines, Number(errorCount));
    await this.database.transaction(orgcode, (tx) => this.upkeep.reportWritten(tx, job, key));
  }
}

import { Injectable } from '@nestjs/common';
import { Arrivals } from '../cdc/arrivals.service.js';
import { EventPartitions } from '../cdc/event-partitions.service.js';
import { isPartitionMissing } from '../platform/database/database-errors.js';
import { ImportChunkRepository, type CheckedChunk, type ImportCheckpoint } from './import-chunk.repository.js';
import type { JobLease } from './job-lease.js';

/** Puts a chunk into the log, with the checkpoint that says so. */
@Injectable()
export class ImportAppend {
  constructor(
    private readonly chunks: ImportChunkRepository,
    private readonly partitions: EventPartitions,
    private readonly arrivals: Arrivals,
  ) {}

  async write(lease: JobLease, next: ImportCheckpoint, chunk: CheckedChunk): Promise<void> {
    lease.assertOurs(await this.writeOrMakeRoom(lease, next, chunk));
    if (chunk.entries.length > 0) this.arrivals.announce(lease.job.orgcode);
  }

  private async writeOrMakeRoom(lease: JobLease, next: ImportCheckpoint, chunk: CheckedChunk): Promise<boolean> {
    try {
      return await this.chunks.write(lease.job, next, chunk);
    } catch (error) {
      if (!isPartitionMissing(error)) throw error;
      await this.partitions.keepAhead(); // no worker has made one for long; the transaction is undone
      return this.chunks.write(lease.job, next, chunk);
    }
  }
}

import { Injectable } from '@nestjs/common';
import { feedScope } from '../cdc/feed.service.js';
import { Configuration } from '../platform/config/configuration.js';
import { Paging } from '../platform/http/paging.js';
import type { ShownBulkJob } from './bulk-job.repository.js';
import type { BulkJob } from './bulk.dto.js';
import { jobToWire } from './bulk.mapper.js';

/** A job as callers see it. */
@Injectable()
export class BulkJobView {
  private readonly bucket: string;

  constructor(
    private readonly paging: Paging,
    { objectStore }: Configuration,
  ) {
    this.bucket = objectStore.kind === 's3' ? objectStore.bucket : 'objects';
  }

  of(record: ShownBulkJob): BulkJob {
    return jobToWire(record, {
      bucket: this.bucket,
      tokenAt: (position, filters) => this.paging.tokenAt([String(position)], feedScope(record.orgcode, filters)),
    });
  }
}

import { Body, Controller } from '@nestjs/common';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { Operation, type ServiceLevel } from '../platform/http/operation.js';
import type { Page } from '../platform/http/paging.js';
import { CurrentCaller } from '../platform/http/request-scope.js';
import { BulkExports } from './bulk-exports.service.js';
import { BulkImports } from './bulk-imports.service.js';
import { BulkReading } from './bulk-reading.service.js';
import {
  BulkExportContinueRequest,
  BulkExportCreateRequest,
  BulkImportCommitRequest,
  BulkImportContinueRequest,
  BulkImportCreated,
  BulkImportCreateRequest,
  BulkJobData,
  BulkJobGetRequest,
  BulkJobList,
  BulkJobListRequest,
  BulkJobWithFiles,
  type BulkJob,
} from './bulk.dto.js';

const read: ServiceLevel = { routeClass: 'Tier B', qps: 50, concurrency: 25, p95Ms: 300 };
const write: ServiceLevel = { routeClass: 'Tier D', qps: 10, concurrency: 5, p95Ms: 300, p99Ms: 600 };
const order = { level: write, write: true, rateClass: 'bulk', costCentre: true } as const;

@Controller('bulk')
export class BulkController {
  constructor(
    private readonly imports: BulkImports,
    private readonly exports: BulkExports,
    private readonly reading: BulkReading,
  ) {}

  @Operation('import/create', {
    role: 'integration_service',
    summary: 'Create a bulk import job',
    description: 'PUT the file to `upload_url` within 24 hours, with the content type of the job, and commit.',
    data: BulkImportCreated,
    secretAnswer: true,
    ...order,
  })
  createImport(
    @CurrentCaller() caller: Caller,
    @Body() request: BulkImportCreateRequest,
  ): Promise<Answer<BulkImportCreated>> {
    return this.imports.create(caller, request);
  }

  @Operation('import/commit', {
    role: 'integration_service',
    summary: 'Commit a bulk import job after upload',
    description: 'What is uploaded at this moment is imported; a later upload to the same address changes nothing.',
    data: BulkJobData,
    revisionOf: BulkReading,
    ...order,
  })
  commit(@CurrentCaller() caller: Caller, @Body() request: BulkImportCommitRequest): Promise<Answer<BulkJobData>> {
    return this.imports.commit(caller, request);
  }

  @Operation('import/continue', {
    role: 'integration_service',
    summary: 'Continue a bulk import job from the last processed line',
    data: BulkJobData,
    ...order,
  })
  continueImport(
    @CurrentCaller() caller: Caller,
    @Body() request: BulkImportContinueRequest,
  ): Promise<Answer<BulkJobData>> {
    return this.imports.continue(caller, request);
  }

  @Operation('export/create', {
    role: 'integration_admin',
    summary: 'Create a bulk export job',
    description: 'What is in the log at this moment and passes the filter, in the order of the feed.',
    data: BulkJobData,
    ...order,
  })
  createExport(
    @CurrentCaller() caller: Caller,
    @Body() request: BulkExportCreateRequest,
  ): Promise<Answer<BulkJobData>> {
    return this.exports.create(caller, request);
  }

  @Operation('export/continue', {
    role: 'integration_admin',
    summary: 'Continue a bulk export job using the previous cursor',
    data: BulkJobData,
    ...order,
  })
  continueExport(
    @CurrentCaller() caller: Caller,
    @Body() request: BulkExportContinueRequest,
  ): Promise<Answer<BulkJobData>> {
    return this.exports.continue(caller, request);
  }

  @Operation('job/get', {
    role: 'integration_view',
    summary: 'Get bulk job status',
    data: BulkJobWithFiles,
    level: read,
  })
  get(@CurrentCaller() caller: Caller, @Body() { job_id }: BulkJobGetRequest): Promise<BulkJobWithFiles> {
    return this.reading.get(caller, job_id);
  }

  @Operation('job/list', { role: 'integration_view', summary: 'List bulk jobs', data: BulkJobList, level: read })
  list(@CurrentCaller() caller: Caller, @Body() request: BulkJobListRequest): Promise<Page<BulkJob>> {
    return this.reading.list(caller, request);
  }
}

import { createReadStream, statSync } from 'node:fs';
import { Transform, type Readable } from 'node:stream';
import { OrganisationService } from '../access/organisation.service.js';
import type { BulkJob } from '../bulk/bulk.dto.js';
import { BulkImportCommitRequest, BulkImportCreateRequest } from '../bulk/bulk.dto.js';
import { GZIP_TYPE, NDJSON_TYPE } from '../bulk/bulk-files.js';
import { BulkImports } from '../bulk/bulk-imports.service.js';
import { BulkModule } from '../bulk/bulk.module.js';
import { BulkTransfer } from '../bulk/bulk-transfer.service.js';
import { LineSplitter } from '../platform/ndjson/line-splitter.js';
import { CommandFailure, EXIT } from './failure.js';
import { bar, followed } from './followed-job.js';
import { operator, withServices, writeRequest, type Services } from './operator.js';
import { facts, hideProgress, showProgress, type CommandResult } from './output.js';

const REFUSALS_SHOWN = 20;
const MAX_REPORT_LINE = 64 * 1024;

interface Asked {
  org: string;
  reason: string;
}

interface Refusal {
  line: number;
  error_tag: string;
  message: string;
  field?: string;
}

export function importFile({ org, reason }: Asked, file = ''): Promise<CommandResult> {
  const sizeBytes = sizeOf(file);
  const contentType = file.endsWith('.gz') ? GZIP_TYPE : NDJSON_TYPE;
  return withServices(
    async (services) => {
      await services.get(OrganisationService).get(org);
      const begunMs = performance.now();
      const job = await ordered(services, { org, reason }, { file, sizeBytes, contentType });
      const ended = await followed(services, operator(org, 'bulk/job/get'), job.job_id);
      const refusals = ended.report ? await refusalsOf(services, org, ended.job_id) : [];
      return resultOf(org, ended, refusals, (performance.now() - begunMs) / 1_000);
    },
    [BulkModule],
  );
}

async function ordered(
  services: Services,
  { org, reason }: Asked,
  { file, sizeBytes, contentType }: { file: string; sizeBytes: number; contentType: string },
): Promise<BulkJob> {
  const imports = services.get(BulkImports);
  const creator = operator(org, 'bulk/import/create');
  const order = writeRequest(BulkImportCreateRequest, creator, reason, { content_type: contentType });
  const { job } = (await imports.create(creator, order)).data;
  await services.get(BulkTransfer).upload(org, job.job_id, shown(createReadStream(file), sizeBytes), sizeBytes);
  hideProgress();
  const committer = operator(org, 'bulk/import/commit');
  const commit = { job_id: job.job_id, expected_revision: job.revision, size_bytes: sizeBytes };
  return (await imports.commit(committer, writeRequest(BulkImportCommitRequest, committer, reason, commit))).data.job;
}

/** The same bytes, while a bar says how many there were. */
function shown(bytes: Readable, sizeBytes: number): Readable {
  let seen = 0;
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      showProgress(`upload ${bar(seen / Math.max(1, sizeBytes))}`);
      done(null, chunk);
    },
  });
  bytes.on('error', (error) => counting.destroy(error));
  return bytes.pipe(counting);
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandFailure(EXIT.wrongUsage, 'import_file_unusable', `${file} cannot be read (${code}).`, {
      cause: error,
    });
  }
}

async function refusalsOf(services: Services, org: string, jobId: string): Promise<Refusal[]> {
  const report = await services.get(BulkTransfer).open(org, jobId, 'reportKey');
  if (!report) return [];
  const splitter = new LineSplitter(MAX_REPORT_LINE);
  const refusals: Refusal[] = [];
  for await (const chunk of report as AsyncIterable<Buffer>) {
    for (const { bytes } of splitter.push(chunk)) {
      const refusal = JSON.parse(bytes?.toString('utf8') ?? '{}') as Partial<Refusal>;
      if (refusal.line !== undefined) refusals.push(refusal as Refusal);
      if (refusals.length === REFUSALS_SHOWN) return refusals; // which ends the stream
    }
  }
  return refusals;
}

function resultOf(orgcode: string, job: BulkJob, refusals: readonly Refusal[], seconds: number): CommandResult {
  const { line_count = 0, processed_count = 0, error_count = 0, skipped_lines = 0 } = job.output ?? {};
  const isDone = job.status === 'completed';
  const rate = Math.round(line_count / Math.max(seconds, 0.001));
  const summary = facts([
    ['Job', `${job.job_id}: ${job.status}`],
    ['Failure', job.failure && `${job.failure.error_tag}: ${job.failure.message}`],
    ['Lines', String(line_count)],
    ['Processed', String(processed_count)],
    ['Refused', String(error_count)],
    ['Skipped', String(skipped_lines)],
    ['Seconds', `${seconds.toFixed(1)} (${rate} lines a second)`],
  ]);
  const named = refusals.map(
    ({ line, error_tag, field, message }) => `line ${line}: ${error_tag}: ${field ?? message}`,
  );
  const more = error_count - refusals.length;
  return {
    document: { orgcode, job, seconds: Number(seconds.toFixed(3)), refusals, refusals_not_shown: more },
    text: [summary, ...(named.length > 0 ? ['', ...named] : []), ...(more > 0 ? [`and ${more} more`] : [])].join('\n'),
    exitCode: isDone && error_count === 0 ? 0 : 1,
  };
}

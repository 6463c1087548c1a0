import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { OrganisationService } from '../access/organisation.service.js';
import { BulkExportContinueRequest, BulkExportCreateRequest, type BulkJob } from '../bulk/bulk.dto.js';
import { BulkExports } from '../bulk/bulk-exports.service.js';
import { MAX_EXPORT_RECORDS } from '../bulk/bulk-limits.js';
import { BulkModule } from '../bulk/bulk.module.js';
import { BulkTransfer } from '../bulk/bulk-transfer.service.js';
import { CommandFailure, EXIT } from './failure.js';
import { followed } from './followed-job.js';
import { operator, withServices, writeRequest, type Services } from './operator.js';
import { facts, type CommandResult } from './output.js';

interface Asked {
  org: string;
  reason: string;
  output: string;
  service?: string;
  from?: string;
  to?: string;
  maxRecords?: number;
  gzip?: true;
}

interface Exported {
  jobs: BulkJob[];
  records: number;
}

export async function exportFile(asked: Asked): Promise<CommandResult | undefined> {
  const begunMs = performance.now();
  const output = opened(asked.output);
  const { jobs, records } = await withServices(
    async (services) => {
      await services.get(OrganisationService).get(asked.org);
      return exported(services, asked, output);
    },
    [BulkModule],
  );
  await closed(output);
  if (asked.output === '-') return undefined; // the events are the result
  const seconds = (performance.now() - begunMs) / 1_000;
  const rate = Math.round(records / Math.max(seconds, 0.001));
  return {
    document: { orgcode: asked.org, file: asked.output, records, jobs, seconds: Number(seconds.toFixed(3)) },
    text: facts([
      ['File', asked.output],
      ['Events', String(records)],
      ['Jobs', jobs.map(({ job_id }) => job_id).join(', ')],
      ['Seconds', `${seconds.toFixed(1)} (${rate} events a second)`],
    ]),
  };
}

/** One job after another, until nothing is left or enough is there: what the first one did not take, the next ones do. */
async function exported(services: Services, asked: Asked, output: Writable): Promise<Exported> {
  const done: Exported = { jobs: [], records: 0 };
  for (;;) {
    const left = (asked.maxRecords ?? Number.MAX_SAFE_INTEGER) - done.records;
    const limit = Math.min(left, MAX_EXPORT_RECORDS);
    const ordered = await order(services, asked, done.jobs.at(-1), limit);
    const job = await followed(services, operator(asked.org, 'bulk/job/get'), ordered.job_id);
    if (job.failure) throw new CommandFailure(EXIT.refused, job.failure.error_tag, job.failure.message);
    const file = await services.get(BulkTransfer).open(asked.org, job.job_id, 'outputKey');
    if (file) await pipeline(file, output, { end: false });
    const { record_count = 0 } = job.output ?? {};
    done.jobs.push(job);
    done.records += record_count;
    if (job.output?.has_more !== true || done.records === asked.maxRecords) return done;
  }
}

async function order(
  services: Services,
  { org, reason, service, from, to, gzip }: Asked,
  earlier: BulkJob | undefined,
  max_records: number,
): Promise<BulkJob> {
  const exports = services.get(BulkExports);
  if (earlier) {
    const caller = operator(org, 'bulk/export/continue');
    const fields = { job_id: earlier.job_id, max_records };
    return (await exports.continue(caller, writeRequest(BulkExportContinueRequest, caller, reason, fields))).data.job;
  }
  const caller = operator(org, 'bulk/export/create');
  const fields = { service, from_utc: from, to_utc: to, gzip, max_records };
  return (await exports.create(caller, writeRequest(BulkExportCreateRequest, caller, reason, fields))).data.job;
}

function opened(file: string): Writable {
  return file === '-' ? process.stdout : createWriteStream(file);
}

async function closed(output: Writable): Promise<void> {
  if (output === process.stdout) return;
  await new Promise<void>((resolve, reject) => {
    output.once('error', reject);
    output.end(resolve);
  });
}

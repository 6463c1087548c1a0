import { BulkJobRepository, type BulkJobRecord, type NewBulkJob } from '../../src/bulk/bulk-job.repository.js';
import { BulkUpkeepRepository } from '../../src/bulk/bulk-upkeep.repository.js';
import { BulkWorkRepository, type ClaimedJob } from '../../src/bulk/bulk-work.repository.js';
import { ImportChunkRepository } from '../../src/bulk/import-chunk.repository.js';
import type { Configuration } from '../../src/platform/config/configuration.js';
import type { TestDatabase } from '../support/database.js';
import type { CallScene, CallsOf, RepositoryUnderTest } from './repository-calls.js';
import type { Inhabitant } from './two-organisations.js';

const AWAITING = 'awaiting';
const QUEUED = 'queued';
const RUNNING = 'running';
const LEFT = 'left';
const ENDED = 'ended';
const FENCE = 5n;
const LONG_AGO = new Date('2020-01-01T00:00:00Z');
const SOON = new Date('2100-01-01T00:00:00Z');

const newJob: NewBulkJob = {
  jobId: 'new',
  jobType: 'import',
  status: 'awaiting_upload',
  contentType: 'application/x-ndjson',
  prefix: 'bulk/spec',
  requestContext: {},
  reason: 'r',
  sourceRefs: [],
};

/** A job in each state that somebody does something about. */
export async function layOutJobs(database: TestDatabase, { orgcode }: Pick<Inhabitant, 'orgcode'>): Promise<void> {
  await database.asOwner(
    `insert into bulk_job (orgcode, job_id, job_type, status, content_type, prefix, request_context, reason, source_refs, fence, lease_until,
       queued_at, ended_at, files_deleted_at, created_at)
     select $1, id, 'import', status, 'application/x-ndjson', 'bulk/spec', '{}', 'r', '[]', ${FENCE}, lease_until, queued_at, ended_at,
       files_deleted_at, '2020-01-02T00:00:00Z'
     from (values ('${AWAITING}', 'awaiting_upload', null::timestamptz, null::timestamptz, null::timestamptz, null::timestamptz),
       ('${QUEUED}', 'queued', null, '2020-01-02T00:00:00Z', null, null),
       ('${RUNNING}', 'running', '2100-01-01T00:00:00Z', '2020-01-02T00:00:00Z', null, null),
       ('${LEFT}', 'running', '2100-01-01T00:00:00Z', '2020-01-02T00:00:00Z', null, null),
       ('${ENDED}', 'completed', null, null, '2020-01-02T00:00:00Z', null),
       ('cleared', 'completed', null, null, '2020-01-02T00:00:00Z', '2020-01-02T00:00:00Z'))
       as j(id, status, lease_until, queued_at, ended_at, files_deleted_at)`,
    [orgcode],
  );
  await database.asOwner(
    `update bulk_job set pins = '{pinned}', input_key = 'read' where orgcode = $1 and job_id = '${AWAITING}'`,
    [orgcode],
  );
  await database.asOwner(
    `insert into bulk_error (orgcode, job_id, line, entry) values ($1, '${RUNNING}', 7, '{"line": 7}'), ($1, '${ENDED}', 7, '{"line": 7}')`,
    [orgcode],
  );
}

const claimed = ({ of }: CallScene, jobId = RUNNING): ClaimedJob => ({ orgcode: of.orgcode, jobId, fence: FENCE });
const jobCount =
  (where: object) =>
  ({ db, of }: CallScene): Promise<number> =>
    db.bulkJob.count({ where: { orgcode: of.orgcode, ...where } });
const record = ({ of }: CallScene, jobId: string): BulkJobRecord => ({ orgcode: of.orgcode, jobId }) as BulkJobRecord;

const jobCalls: CallsOf<BulkJobRepository> = {
  countOpen: { run: (jobs, { db, of }) => jobs.countOpen(db, of.orgcode) },
  insert: { run: (jobs, { db, of }) => jobs.insert(db, of.orgcode, newJob) },
  read: { run: (jobs, { of }) => jobs.read(of.orgcode, QUEUED) },
  find: { run: (jobs, { db, of }) => jobs.find(db, of.orgcode, QUEUED) },
  findForUpdate: { run: (jobs, { db, of }) => jobs.findForUpdate(db, of.orgcode, QUEUED) },
  notePin: {
    run: (jobs, { db, of }) => jobs.notePin(db, of.orgcode, AWAITING, 'k'),
    shows: jobCount({ jobId: AWAITING, pins: { has: 'k' } }),
  },
  forgetPin: {
    run: (jobs, { db, of }) => jobs.forgetPin(db, of.orgcode, AWAITING, 'pinned'),
    shows: jobCount({ jobId: AWAITING, pins: { isEmpty: true } }),
  },
  noteQueued: {
    run: (jobs, { db, of }) => jobs.noteQueued(db, of.orgcode, QUEUED, { operationRunId: 1, queuedAt: LONG_AGO }),
  },
  queue: {
    run: (jobs, { db, of }) =>
      jobs.queue(db, of.orgcode, AWAITING, { inputKey: 'k', inputBytes: 1n, operationRunId: 1, queuedAt: LONG_AGO }),
  },
  page: { run: (jobs, { of }) => jobs.page(of.orgcode, {}, undefined, 10) },
};

const workCalls: CallsOf<BulkWorkRepository> = {
  claim: { system: true, run: (jobs) => jobs.claim(10, 10) },
  standing: { system: true, run: async (jobs) => (await jobs.standing()).running },
  read: { run: (jobs, scene) => jobs.read(claimed(scene)) },
  extend: { run: (jobs, scene) => jobs.extend(claimed(scene)) },
  giveBack: {
    run: (jobs, scene) => jobs.giveBack(claimed(scene, LEFT)),
    shows: jobCount({ jobId: LEFT, status: 'queued' }),
  },
  keepExport: {
    run: (jobs, scene) => jobs.keepExport(claimed(scene), { position: 7n, recordCount: 7n, uploadId: 'u', parts: [] }),
  },
  end: { run: (jobs, scene) => jobs.end(scene.db, claimed(scene), { status: 'completed' }) },
};

const upkeepCalls: CallsOf<BulkUpkeepRepository> = {
  awaitingSince: { system: true, run: (upkeep, { db }) => upkeep.awaitingSince(db, SOON, 10) },
  expire: {
    run: (upkeep, scene) => upkeep.expire(scene.db, record(scene, AWAITING), { error_tag: 't', message: 'm' }),
  },
  withFilesEndedBefore: { system: true, run: (upkeep, { db }) => upkeep.withFilesEndedBefore(db, SOON, 10) },
  owingReports: { system: true, run: (upkeep, { db }) => upkeep.owingReports(db, 10) },
  linesOwed: { run: (upkeep, scene) => upkeep.linesOwed(scene.db, record(scene, RUNNING)) },
  reportWritten: {
    run: (upkeep, scene) => upkeep.reportWritten(scene.db, record(scene, RUNNING), 'report'),
    shows: jobCount({ jobId: RUNNING, reportKey: 'report' }),
  },
  lastReader: { run: (upkeep, scene) => upkeep.lastReader(scene.db, { ...record(scene, ENDED), inputKey: 'read' }) },
  filesDeleted: {
    run: (upkeep, scene) => upkeep.filesDeleted(scene.db, record(scene, ENDED)),
    shows: jobCount({ jobId: ENDED, filesDeletedAt: { not: null } }),
  },
  forget: { system: true, run: (upkeep, { db }) => upkeep.forget(db, SOON, 10) },
};

const chunkCalls: CallsOf<ImportChunkRepository> = {
  write: {
    run: (chunks, scene) =>
      chunks.write(
        claimed(scene),
        { lines: 1, bytes: 1, processed: 0, errors: 1, skipped: 0 },
        { entries: [], ownCount: 0, catalogVersion: 0n, reported: [] },
      ),
  },
  reported: { run: (chunks, scene) => chunks.reported(claimed(scene)) },
};

const configuration = { bulk: { leaseSeconds: 10 }, events: { maxPushAgeSeconds: 60 } } as Configuration;

export const bulkRepositories: Readonly<Record<string, RepositoryUnderTest>> = {
  BulkJobRepository: { make: (database) => new BulkJobRepository(database), calls: jobCalls },
  BulkWorkRepository: { make: (database) => new BulkWorkRepository(database, configuration), calls: workCalls },
  BulkUpkeepRepository: { make: () => new BulkUpkeepRepository(), calls: upkeepCalls },
  ImportChunkRepository: { make: (database) => new ImportChunkRepository(database, configuration), calls: chunkCalls },
};

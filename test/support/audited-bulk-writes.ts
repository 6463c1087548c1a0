import { uploadKey } from '../../src/bulk/bulk-files.js';
import { ObjectStore } from '../../src/platform/object-store/object-store.js';
import type { TestApi } from './api.js';
import type { WriteUnderTest, Written } from './audited-kpi-writes.js';
import { until } from './until.js';

interface Job {
  job_id: string;
  status: string;
  revision: string;
}

/** The writes of room `bulk`. */
export function bulkWrites(api: () => TestApi, data: Written): Record<string, WriteUnderTest> {
  const uploaded = async (): Promise<Job> => {
    const { job } = (await data('/bulk/import/create', {})) as { job: Job };
    const [row] = await api().database.asOwner<{ prefix: string }>('select prefix from bulk_job where job_id = $1', [
      job.job_id,
    ]);
    await api().app.get(ObjectStore).put(uploadKey(row!.prefix), Buffer.from('\n'));
    return job;
  };
  const ended = async ({ job_id }: Job): Promise<string> => {
    await until(async () => {
      const [row] = await api().database.asOwner('select 1 from bulk_job where job_id = $1 and ended_at is not null', [
        job_id,
      ]);
      return row !== undefined;
    });
    return job_id;
  };
  const committed = async (): Promise<Job> => {
    const { job_id, revision } = await uploaded();
    return ((await data('/bulk/import/commit', { job_id, expected_revision: revision })) as { job: Job }).job;
  };
  const exported = async (): Promise<Job> => ((await data('/bulk/export/create', {})) as { job: Job }).job;
  const absent = { body: () => Promise.resolve({ job_id: 'nobodys' }), status: 404, tag: 'bulk_job_not_found' };
  const aJob = { resource: 'bulk_job', creates: true } as const;

  return {
    'bulk/import/create': {
      ...aJob,
      body: () => Promise.resolve({}),
      refusal: { body: () => Promise.resolve({ content_type: 'a/b' }), status: 400, tag: 'content_type_unknown' },
    },
    'bulk/import/commit': {
      resource: 'bulk_job',
      body: async () => {
        const { job_id, revision } = await uploaded();
        return { job_id, expected_revision: revision };
      },
      refusal: { ...absent, body: () => Promise.resolve({ job_id: 'nobodys', expected_revision: '1' }) },
    },
    'bulk/import/continue': {
      ...aJob,
      body: async () => ({ job_id: await ended(await committed()) }),
      refusal: absent,
    },
    'bulk/export/create': {
      ...aJob,
      body: () => Promise.resolve({}),
      refusal: {
        body: () => Promise.resolve({ cursor: { token: 'invented' } }),
        status: 400,
        tag: 'next_token_invalid',
      },
    },
    'bulk/export/continue': {
      ...aJob,
      body: async () => ({ job_id: await ended(await exported()) }),
      refusal: absent,
    },
  };
}

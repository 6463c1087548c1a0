import { sabotagedFunction } from '../faults/support/sabotaged-function.js';
import { TestApi } from '../support/api.js';
import { BulkScene } from '../support/bulk-scene.js';

interface Claim {
  orgcode: string;
  jobId: string;
}

describe('the queue of bulk jobs', () => {
  let api: TestApi;
  let busy: BulkScene;
  let other: BulkScene;
  beforeEach(async () => {
    api = await TestApi.start({ IPM_ROLE: 'api' });
    [busy, other] = [await BulkScene.of(api), await BulkScene.of(api)];
    for (const n of [1, 2, 3, 4, 5]) await busy.done('bulk/export/create', { job_id: `busy-${n}` });
    await other.done('bulk/export/create', { job_id: 'other-1' });
  });
  afterEach(() => api.close());

  /** As a worker takes jobs that has so many hands. */
  const claim = async (hands: number, lease = '1 minute'): Promise<string[]> => {
    const claims = await api.database.asOwner<Claim>('select * from ipm_claim_bulk_jobs($1, 2, $2)', [hands, lease]);
    return claims.map(({ jobId }) => jobId).sort();
  };
  const end = (jobId: string): Promise<unknown> =>
    api.database.asOwner(
      `update bulk_job set status = 'completed', lease_until = null, ended_at = clock_timestamp() where job_id = $1`,
      [jobId],
    );

  it('gives an organisation its share at once, the rest in order, and another does not wait behind it', async () => {
    expect(await claim(10)).toEqual(['busy-1', 'busy-2', 'other-1']);
    expect(await claim(10)).toEqual([]);
    await end('busy-2');
    expect(await claim(10)).toEqual(['busy-3']);
    await end('busy-1');
    await end('busy-3');
    expect(await claim(1)).toEqual(['busy-4']);
  });

  it('takes whoever has least at work first', async () => {
    expect(await claim(1)).toEqual(['busy-1']);
    expect(await claim(1)).toEqual(['other-1']);
    expect(await claim(1)).toEqual(['busy-2']);
  });

  it('puts a job whose worker is gone into its old place', async () => {
    expect(await claim(2, '-1 second')).toEqual(['busy-1', 'other-1']);
    expect(await claim(2)).toEqual(['busy-1', 'other-1']);
  });

  it('gives no job to two workers that take at the same moment, and no organisation more than its share', async () => {
    const taken = (await Promise.all(Array.from({ length: 8 }, (_, i) => claim((i % 3) + 1)))).flat();
    expect(taken.sort()).toEqual(['busy-1', 'busy-2', 'other-1']);
  });

  it('sabotaged, the share is not looked at: turns red', async () => {
    await sabotagedFunction(api.database, 'ipm_claim_bulk_jobs', [['WHERE turn <= p_per_organisation', '']]);
    expect(await claim(10)).not.toEqual(['busy-1', 'busy-2', 'other-1']);
  });
});

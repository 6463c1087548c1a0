import { TestApi } from '../support/api.js';
import { aRun, asOperator, askRuns, WITH_OPERATOR } from '../support/operation-runs.js';

describe('GET /api/admin/operations/{operationRun}', () => {
  let api: TestApi;
  let acme: { orgcode: string; key: string };
  let bolt: { orgcode: string; key: string };
  beforeAll(async () => {
    api = await TestApi.start({ ...WITH_OPERATOR, IPM_ROLE: 'api' }); // a worker would settle what is laid out here
    [acme, bolt] = [await api.anOwner(), await api.anOwner()];
  });
  afterAll(() => api.close());

  it('shows what came of it, and how its worker fares', async () => {
    const id = await aRun(api, { orgcode: acme.orgcode, status: 'running', silentSeconds: 500, subject: 'acme/rpl_1' });
    await api.database.asOwner(`update operation_run set counts = '{"matched": 7}' where id = $1`, [id]);
    const { status, body } = await askRuns(api, `/${id}`, asOperator);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id,
      freshness_state: 'likely_stale',
      summary_counts: { matched: 7 },
      failure_summary: [],
    });
    expect(body).not.toHaveProperty('reconciliation');
    expect(body.diagnostics).toEqual({
      threshold_seconds: 120,
      evidence: {
        subject: 'acme/rpl_1',
        status: 'running',
        created_at: expect.any(String),
        started_at: expect.any(String),
        heartbeat_at: expect.any(String),
        silent_seconds: expect.any(Number),
        threshold_seconds: 120,
        takeovers: 0,
        lost_workers: 0,
      },
    });
    expect(body.diagnostics.evidence.silent_seconds).toBeGreaterThanOrEqual(500);
  });

  it('shows how it was reconciled', async () => {
    const id = await aRun(api, { orgcode: acme.orgcode, outcome: 'failed', reconciled: true });
    const { body } = await askRuns(api, `/${id}`, asOperator);
    expect(body).toMatchObject({ freshness_state: 'reconciled_failed', reconciled: true });
    expect(body.reconciliation).toEqual({
      reconciled_at: expect.stringMatching(/Z$/),
      source: 'scheduled_reconciler',
      reason_code: 'worker_lost',
      reason_message: 'Lost.',
      evidence: { takeovers: 1 },
    });
  });

  it('is found by an admin of its organisation, and by nobody of another', async () => {
    const id = await aRun(api, { orgcode: acme.orgcode });
    const statusFor = async (key: string): Promise<number> =>
      (await askRuns(api, `/${id}`, { headers: { 'x-api-key': key } })).status;
    expect(await statusFor(acme.key)).toBe(200);
    expect(await statusFor(await api.aKey(acme.orgcode, 'integration_admin'))).toBe(200);
    expect(await statusFor(bolt.key)).toBe(404);
    for (const role of ['integration_view', 'integration_service', 'auditor'] as const)
      expect([role, await statusFor(await api.aKey(acme.orgcode, role))]).toEqual([role, 404]);
  });

  it("answers for another's run as for none, and for what is the whole installation's", async () => {
    const ours = { headers: { 'x-api-key': acme.key } };
    const [theirs, everybodys] = [
      await aRun(api, { orgcode: bolt.orgcode }),
      await aRun(api, { type: 'event_retention' }),
    ];
    const none = await askRuns(api, '/2000000000', ours);
    for (const id of [theirs, everybodys]) {
      const { status, body } = await askRuns(api, `/${id}`, ours);
      expect([status, { ...body, request_id: '' }]).toEqual([404, { ...none.body, request_id: '' }]);
      expect((await askRuns(api, `/${id}`, asOperator)).status).toBe(200);
    }
  });

  it.each(['0', '-1', '1.5', '1e3', 'x', '99999999999999', '999999999999999999999', '1%20', "1'--"])(
    'knows no run %s',
    async (id) => {
      const { status, body } = await askRuns(api, `/${id}`, asOperator);
      expect([status, body.code]).toEqual([404, 'operation_run_not_found']);
    },
  );
});

import { randomUUID } from 'node:crypto';
import { OperationReconciler } from '../../src/operations/operation-reconciler.service.js';
import { TestApi } from '../support/api.js';
import { BulkScene } from '../support/bulk-scene.js';
import { aRun, asOperator, askRuns, WITH_OPERATOR } from '../support/operation-runs.js';
import { stopClocks } from '../support/reconciler-scene.js';
import { LOCAL_ENDPOINTS, WebhookOwner } from '../support/webhooks.js';

/** What each room says of its own work when the worker at it is gone. */
describe('a stale run', () => {
  let api: TestApi;
  let owner: WebhookOwner;
  beforeAll(async () => {
    api = await TestApi.start({ ...WITH_OPERATOR, ...LOCAL_ENDPOINTS });
    stopClocks(api); // no sweep is faster than the reconciler
    owner = await WebhookOwner.of(api);
  });
  afterAll(() => api.close());

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- its document has checked it
  const reconciled = async (type: string, name: string, orgcode: string | null = owner.orgcode): Promise<any> => {
    const subject = orgcode === null ? name : `${orgcode}/${name}`;
    await api.database.asOwner('delete from operation_run where type = $1 and subject = $2', [type, subject]); // that of its order
    const id = await aRun(api, {
      orgcode: orgcode ?? undefined,
      type,
      subject,
      status: 'running',
      silentSeconds: 4_000,
    });
    const reconciler = api.app.get(OperationReconciler, { strict: false });
    await reconciler.look();
    await reconciler.idle();
    return (await askRuns(api, `/${id}`, asOperator)).body;
  };
  const settled = (reason_code: string): object => ({ reconciliation: { source: 'adapter_reconciler', reason_code } });
  const aWebhook = async (): Promise<string> => (await owner.create()).body.data.webhook_id;

  it.each(['webhook_replay', 'webhook_catch_up', 'kpi_rollup', 'bulk_import', 'bulk_export'])(
    'of a %s that is no more has failed',
    async (type) => {
      expect(await reconciled(type, 'of-nobody')).toMatchObject({ outcome: 'failed', ...settled('work_gone') });
    },
  );

  describe('of a replay', () => {
    const order = async (): Promise<string> =>
      (await owner.write('/webhook/replay/start', { webhook_id: await aWebhook() })).body.data.replay.replay_id;

    it('is seen from its order on, with who ordered it', async () => {
      const replay_id = await order();
      const { body } = await askRuns(api, '?type=webhook_replay&status=queued', asOperator);
      expect(body.data).toContainEqual(
        expect.objectContaining({ outcome: 'pending', initiator_name: expect.stringMatching(/^api_key:/) }),
      );
      const { operation_run_id } = (await owner.call('/webhook/replay/get', { replay_id })).body.data.replay;
      expect(body.data.map(({ id }: { id: number }) => id)).toContain(operation_run_id);
    });

    it('goes on to its end', async () => {
      const replay_id = await order();
      expect(await reconciled('webhook_replay', replay_id)).toMatchObject({ outcome: 'succeeded', reconciled: false });
      const { body } = await owner.call('/webhook/replay/get', { replay_id });
      expect(body.data.replay.status).toBe('completed');
    });

    it('that was cancelled is blocked', async () => {
      const replay_id = await order();
      await owner.write('/webhook/replay/cancel', { replay_id });
      expect(await reconciled('webhook_replay', replay_id)).toMatchObject({
        outcome: 'blocked',
        failure_summary: [{ code: 'cancelled', message: expect.any(String) }],
      });
    });

    it('that has ended has what came of it', async () => {
      const replay_id = await order();
      await api.database.asOwner(
        `update webhook_replay set status = 'completed', outcome = 'partially_succeeded', matched = 3, delivered = 2, failed = 1 where replay_id = $1`,
        [replay_id],
      );
      expect(await reconciled('webhook_replay', replay_id)).toMatchObject({
        outcome: 'partially_succeeded',
        summary_counts: { matched: 3, delivered: 2, failed: 1 },
        ...settled('work_ended'),
      });
    });
  });

  describe('of a catch-up', () => {
    it('has ended where nothing is missing', async () => {
      const run = await reconciled('webhook_catch_up', await aWebhook());
      expect(run).toMatchObject({ outcome: 'succeeded', ...settled('work_ended') });
    });

    it('goes on where something is', async () => {
      const webhookId = await aWebhook();
      await api.database.asOwner(`update webhook set gaps = '[{"after":"0","to":"1"}]' where webhook_id = $1`, [
        webhookId,
      ]);
      expect(await reconciled('webhook_catch_up', webhookId)).toMatchObject({
        outcome: 'succeeded',
        reconciled: false,
      });
    });
  });

  describe('of an import or export', () => {
    const openJob = async (): Promise<string> => {
      const scene = BulkScene.on(api, owner);
      return (await scene.done<{ job: { job_id: string } }>('bulk/export/create')).job.job_id;
    };

    it('does not begin with an import that nobody has committed', async () => {
      const { job } = await BulkScene.on(api, owner).done<{ job: { job_id: string } }>('bulk/import/create');
      const subject = `${owner.orgcode}/${job.job_id}`;
      expect(await api.database.asOwner('select 1 from operation_run where subject = $1', [subject])).toEqual([]);
    });

    it('stays where its job is open: that has a queue and a lease', async () => {
      expect(await reconciled('bulk_export', await openJob())).toMatchObject({ status: 'running', reconciled: false });
    });

    it('ends as its job did', async () => {
      const jobId = await openJob();
      await api.database.asOwner(
        `update bulk_job set status = 'failed', ended_at = now(), failure_tag = 'events_expired', failure_message = 'Too late.' where job_id = $1`,
        [jobId],
      );
      expect(await reconciled('bulk_export', jobId)).toMatchObject({
        outcome: 'failed',
        freshness_state: 'reconciled_failed',
        operator_message: 'Too late.',
        ...settled('events_expired'),
      });
    });
  });

  describe('of a rollup', () => {
    const rollup = async (status: string): Promise<string> => {
      const rollupId = `rollup-${status}`;
      await api.database.asOwner(
        `insert into kpi_rollup (orgcode, rollup_id, status, kpi_code, into_kpi_code, scope, from_bucket, to_bucket, aggregate, from_utc, to_utc, reason)
         values ($1, $2, $3, 'sales', 'sales', 'org', 'daily', 'monthly', 'sum', '2025-01-01', '2026-01-01', 'spec')`,
        [owner.orgcode, rollupId, status],
      );
      return rollupId;
    };

    it('goes on to its end', async () => {
      const run = await reconciled('kpi_rollup', await rollup('queued'));
      expect(run).toMatchObject({ outcome: 'succeeded', reconciled: false });
    });

    it('that has ended has ended', async () => {
      const run = await reconciled('kpi_rollup', await rollup('completed'));
      expect(run).toMatchObject({ outcome: 'succeeded', ...settled('work_ended') });
    });
  });

  it('of retention whose partition is dropped has ended', async () => {
    const run = await reconciled('event_retention', 'event_from_of_nobody', null);
    expect(run).toMatchObject({ outcome: 'succeeded', ...settled('work_ended') });
  });

  it("of IPM's own KPIs goes on", async () => {
    const run = await reconciled('own_kpis', 'own_kpis', null);
    expect(run).toMatchObject({ outcome: 'succeeded', reconciled: false });
  });

  it('of re-encryption goes on for the present key, and waits for who has a newer one', async () => {
    expect(await reconciled('secret_reencryption', 'k1', null)).toMatchObject({
      outcome: 'succeeded',
      reconciled: false,
    });
    expect(await reconciled('secret_reencryption', 'k9', null)).toMatchObject({ status: 'running' });
  });

  describe('of an act on many dead letters', () => {
    const TYPE = 'dead_letter_bulk_act';
    const order = async (): Promise<string> => {
      const [row] = await api.database.asOwner<{ id: string }>(
        `insert into dead_letter_bulk_act (act, filter) values ('acknowledge', '{"orgcode": "nobody"}') returning bulk_act_id::text as id`,
      );
      return row!.id;
    };

    it('goes on to its end, and then has ended', async () => {
      const id = await order();
      expect(await reconciled(TYPE, id, null)).toMatchObject({ outcome: 'succeeded', reconciled: false });
      expect(await reconciled(TYPE, id, null)).toMatchObject({ outcome: 'succeeded', ...settled('work_ended') });
    });

    it('that was cancelled is blocked', async () => {
      const id = await order();
      await api.database.asOwner('update dead_letter_bulk_act set cancel_asked = true where bulk_act_id = $1', [id]);
      expect(await reconciled(TYPE, id, null)).toMatchObject({ outcome: 'blocked', reconciled: false });
    });

    it('that is no more has failed', async () => {
      expect(await reconciled(TYPE, randomUUID(), null)).toMatchObject({ outcome: 'failed', ...settled('work_gone') });
    });
  });
});

import { eachAtADesk, type OperatorDesk } from '../support/operator-desk.js';
import { until } from '../support/until.js';
import { exactly, fieldsOf, SUMMARY_FIELDS, UUID } from '../support/writeback-fields.js';

jest.setTimeout(60_000);

describe('dead letters, as document 002 has them', () => {
  let desk: OperatorDesk;

  eachAtADesk((opened) => (desk = opened));

  describe('status/summary', () => {
    it('counts by status, by what operators did, and what failed of late by its reason', async () => {
      const before = (await desk.get('/status/summary')).body.data;
      const webhook = await desk.failingWebhook({ retry_schedule: [0] }); // four failures: the breaker opens after the fifth
      const [acked] = await desk.deadLetters(webhook, 3);
      desk.sink.answer = () => ({ status: 404 });
      await desk.deadLetters(webhook);
      await desk.post(`/dead-letters/${acked}/acknowledge`);
      const answer = await desk.get('/status/summary');
      expect([answer.status, fieldsOf(answer.body)]).toEqual([200, ['data', 'ok']]);
      const { countsByStatus, deadLetterOperatorCounts, recentFailures } = answer.body.data;
      expect(countsByStatus.dead_failed - before.countsByStatus.dead_failed).toBe(4);
      expect(fieldsOf(countsByStatus)).toEqual(['dead_failed', 'failed', 'retryable_failed']);
      expect(deadLetterOperatorCounts).toEqual({
        open: before.deadLetterOperatorCounts.open + 3,
        acknowledged: before.deadLetterOperatorCounts.acknowledged + 1,
      });
      expect(fieldsOf(recentFailures)).toEqual(
        exactly(['since', 'total', 'retryable', 'nonRetryable', 'unknown', 'byReasonCode', 'windowHours']),
      );
      expect(recentFailures.windowHours).toBe(24);
      expect(Date.now() - Date.parse(recentFailures.since)).toBeGreaterThanOrEqual(24 * 3_600_000);
      expect(recentFailures.byReasonCode.HTTP_500 - (before.recentFailures.byReasonCode.HTTP_500 ?? 0)).toBe(3);
      expect(recentFailures.retryable - before.recentFailures.retryable).toBe(3);
      expect(recentFailures.nonRetryable - before.recentFailures.nonRetryable).toBe(1);
      expect(recentFailures.total).toBe(
        recentFailures.retryable + recentFailures.nonRetryable + recentFailures.unknown,
      );
    });

    it('looks back as far as it is asked to', async () => {
      await desk.aDeadLetter();
      const inAnHour = (await desk.get('/status/summary?recentHours=1')).body.data.recentFailures;
      await desk.change(`update delivery_dead set died_at = now() - interval '90 minutes'`);
      const later = (await desk.get('/status/summary?recentHours=1')).body.data.recentFailures;
      const inTwo = (await desk.get('/status/summary?recentHours=2')).body.data.recentFailures;
      expect([later.total, later.windowHours, inTwo.windowHours]).toEqual([inAnHour.total - 1, 1, 2]);
      expect(inTwo.total).toBeGreaterThan(later.total);
    });

    it.each(['0', '169', '-1', '1.5', '', 'all', '024', '24&recentHours=25', '9999999999'])(
      'refuses recentHours=%s',
      async (hours) => {
        const { status, body } = await desk.get(`/status/summary?recentHours=${hours}`);
        expect([status, body.error?.code]).toEqual([400, 'VALIDATION_ERROR']);
      },
    );
  });

  describe('dead-letters', () => {
    it('lists what failed, newest first, in the shape of the document', async () => {
      const ids = await desk.deadLetters(await desk.failingWebhook(), 3);
      const { status, body } = await desk.get(`/dead-letters?orgcode=${desk.scene.orgcode}`);
      expect([status, fieldsOf(body)]).toEqual([200, ['data', 'ok']]);
      expect((body.data as { jobId: string }[]).map(({ jobId }) => jobId).sort()).toEqual([...ids].sort());
      const times = (body.data as { updatedAt: string }[]).map(({ updatedAt }) => updatedAt);
      expect([...times].sort().reverse()).toEqual(times);
      for (const letter of body.data) {
        expect(fieldsOf(letter)).toEqual(exactly(SUMMARY_FIELDS));
        expect(letter).toMatchObject({
          jobId: expect.stringMatching(UUID),
          status: 'dead_failed',
          operatorStatus: 'open',
          reasonCode: 'HTTP_500',
          attempts: 2,
          replayOfJobId: null,
          replayedJobId: null,
        });
      }
      expect(body.data[0].noteId).toEqual(expect.any(String));
    });

    it('shows what is tried again, and what was ended, each by its status', async () => {
      const retryable = await desk.failingWebhook({ retry_schedule: [0, 3_600] });
      await desk.scene.publish(1);
      await until(async () => (await desk.rows('select 1 from delivery_attempt')).length === 1);
      await desk.scene.setStatus(retryable, 'paused');
      await desk.scene.publish(1);
      const query = `/dead-letters?orgcode=${desk.scene.orgcode}`;
      const failing = (await desk.get(`${query}&status=retryable_failed`)).body.data;
      expect(failing).toEqual([
        expect.objectContaining({ status: 'retryable_failed', reasonCode: 'HTTP_500', attempts: 1 }),
      ]);
      expect((await desk.get(`${query}&status=dead_failed`)).body.data).toEqual([]);
      await desk.scene.setStatus(retryable, 'revoked');
      await until(async () => (await desk.get(`${query}&status=failed`)).body.data.length > 0);
      const [ended] = (await desk.get(`${query}&status=failed`)).body.data;
      expect(ended).toMatchObject({ jobId: failing[0].jobId, status: 'failed', reasonCode: 'WEBHOOK_REVOKED' });
      expect((await desk.get(`${query}&status=retryable_failed`)).body.data).toEqual([]);
      const { data } = (await desk.get(`/dead-letters/${ended.jobId}`)).body;
      expect(data.lastError).toBe('The endpoint answered 500.');
    });

    it('filters by reason, however it is spelled', async () => {
      const webhook = await desk.failingWebhook();
      await desk.deadLetters(webhook);
      desk.sink.answer = () => ({ status: 418 });
      const [teapot] = await desk.deadLetters(webhook);
      for (const reason of ['HTTP_418', 'http_418', 'Http_418']) {
        const { data } = (await desk.get(`/dead-letters?reason=${reason}&orgcode=${desk.scene.orgcode}`)).body;
        expect((data as { jobId: string }[]).map(({ jobId }) => jobId)).toEqual([teapot]);
      }
      expect((await desk.get('/dead-letters?reason=nothing_of_the_kind')).body.data).toEqual([]);
    });

    it('goes on beyond a page with its cursor, and leaves none out and none in twice', async () => {
      const ids = await desk.manyDeadLetters(7);
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const after = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
        const { body } = await desk.get(`/dead-letters?limit=3&orgcode=${desk.scene.orgcode}${after}`);
        seen.push(...(body.data as { jobId: string }[]).map(({ jobId }) => jobId));
        cursor = body.nextCursor;
      } while (cursor !== undefined);
      expect(seen).toHaveLength(7);
      expect([...seen].sort()).toEqual([...ids].sort());
      expect(await desk.refusal(desk.get('/dead-letters?limit=3&cursor=WzFd.AAAA'))).toEqual([400, 'VALIDATION_ERROR']);
    });

    it.each([
      'limit=0',
      'limit=101',
      'limit=-1',
      'limit=abc',
      'limit=',
      'limit=1e2',
      'limit=1&limit=2',
      'status=dead',
      'status=',
    ])('refuses ?%s and clamps nothing', async (query) => {
      const { status, body } = await desk.get(`/dead-letters?${query}`);
      expect([status, body.ok, body.error?.code]).toEqual([400, false, 'VALIDATION_ERROR']);
    });

    it('takes the ends of the range', async () => {
      for (const limit of ['1', '100']) expect((await desk.get(`/dead-letters?limit=${limit}`)).status).toBe(200);
    });
  });
});

import { DeliveryRetentionSweep } from '../../src/delivery/delivery-retention.sweep.js';
import { eachAtADesk, type OperatorDesk } from '../support/operator-desk.js';
import { until } from '../support/until.js';

jest.setTimeout(60_000);

describe('a dead letter', () => {
  let desk: OperatorDesk;

  eachAtADesk((opened) => (desk = opened));

  describe('beside what the organisation does itself', () => {
    it('a dead letter that is retried by hand is none, and open again when it dies', async () => {
      const id = await desk.aDeadLetter();
      await desk.post(`/dead-letters/${id}/acknowledge`);
      desk.sink.answer = () => ({ status: 500, afterMs: 500 });
      expect((await desk.scene.call('webhook/delivery/retry', { delivery_id: id })).status).toBe(200);
      expect(await desk.refusal(desk.get(`/dead-letters/${id}`))).toEqual([404, 'DEAD_LETTER_NOT_FOUND']);
      expect(await desk.refusal(desk.post(`/dead-letters/${id}/replay`))).toEqual([404, 'DEAD_LETTER_NOT_FOUND']);
      expect((await desk.get(`/dead-letters?orgcode=${desk.scene.orgcode}`)).body.data).toEqual([]);
      await until(async () => (await desk.scene.statuses()).dead === 1);
      const { deadLetter, attempts } = (await desk.get(`/dead-letters/${id}`)).body.data;
      expect(deadLetter).toMatchObject({ operatorStatus: 'open', attempts: 3 });
      expect((attempts as { toStatus: string }[]).map(({ toStatus }) => toStatus)).toEqual([
        'retryable_failed',
        'dead_failed',
        'dead_failed',
      ]);
      const { timeline } = (await desk.get(`/dead-letters/${id}/history`)).body.data;
      const types = (timeline as { eventType: string }[]).map(({ eventType }) => eventType);
      expect(types).toEqual(expect.arrayContaining(['dead_letter.acknowledged', 'delivery.retried_by_hand']));
    });

    it('one that was replayed is not retried by hand as well', async () => {
      const id = await desk.aDeadLetter();
      const { replayJob } = (await desk.post(`/dead-letters/${id}/replay`)).body.data;
      const { status, body } = await desk.scene.call('webhook/delivery/retry', { delivery_id: id });
      expect([status, body.error?.error_code, body.error?.details]).toEqual([
        409,
        'delivery_replayed',
        { replay_delivery_id: replayJob.jobId },
      ]);
    });

    it('one that is acknowledged while it is still tried, and gets through, leaves no mark', async () => {
      desk.sink.answer = () => ({ status: 500 });
      await desk.scene.webhook({ retry_schedule: [0, 1] });
      await desk.scene.publish(1);
      const query = `/dead-letters?status=retryable_failed&orgcode=${desk.scene.orgcode}`;
      await until(async () => (await desk.get(query)).body.data.length > 0);
      desk.sink.answer = () => undefined;
      const [failing] = (await desk.get(query)).body.data;
      expect((await desk.post(`/dead-letters/${failing.jobId}/acknowledge`)).status).toBe(200);
      expect((await desk.get(`/dead-letters/${failing.jobId}`)).body.data.deadLetter.operatorStatus).toBe(
        'acknowledged',
      );
      await until(async () => (await desk.scene.statuses()).delivered === 1);
      expect(await desk.rows('select 1 from dead_letter_mark')).toEqual([]);
      expect(await desk.rows('select 1 from dead_letter_act')).toHaveLength(1);
    });

    it('one whose event retention takes goes with all that was done to it', async () => {
      const id = await desk.aDeadLetter();
      await desk.post(`/dead-letters/${id}/replay`);
      await until(async () => (await desk.scene.statuses()).dead === 2);
      await desk.change('update org_head set dropped_to = position');
      await desk.api.app.get(DeliveryRetentionSweep).prune();
      for (const table of ['delivery', 'delivery_dead', 'dead_letter_mark', 'dead_letter_act'])
        expect(await desk.rows(`select 1 from ${table}`)).toEqual([]);
      expect(await desk.refusal(desk.get(`/dead-letters/${id}`))).toEqual([404, 'DEAD_LETTER_NOT_FOUND']);
    });
  });
});

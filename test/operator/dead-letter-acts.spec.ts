import { randomUUID } from 'node:crypto';
import { eachAtADesk, type OperatorDesk } from '../support/operator-desk.js';
import { until } from '../support/until.js';
import { exactly, fieldsOf, JOB_FIELDS, LINKAGE_FIELDS, SUMMARY_FIELDS, UUID } from '../support/writeback-fields.js';

jest.setTimeout(60_000);

describe('a dead letter, as document 002 has it', () => {
  let desk: OperatorDesk;

  eachAtADesk((opened) => (desk = opened));

  describe('one of them', () => {
    it('is shown with its attempts', async () => {
      const id = await desk.aDeadLetter();
      const { status, body } = await desk.get(`/dead-letters/${id}`);
      expect([status, fieldsOf(body.data)]).toEqual([
        200,
        exactly(['deadLetter', 'lastError', 'attempts', 'replayLinkage']),
      ]);
      const { deadLetter, lastError, attempts, replayLinkage } = body.data;
      expect(fieldsOf(deadLetter)).toEqual(exactly(SUMMARY_FIELDS));
      expect(lastError).toBe('The endpoint answered 500.');
      expect(attempts).toEqual(
        [1, 2].map((attempt) => ({
          attempt,
          fromStatus: 'sending',
          toStatus: attempt === 1 ? 'retryable_failed' : 'dead_failed',
          error: 'The endpoint answered 500.',
          reasonCode: 'HTTP_500',
          occurredAt: expect.stringMatching(/^\d{4}-/),
        })),
      );
      expect(replayLinkage).toEqual({ replayOfJobId: null, replayedJobId: null });
    });

    it('tells its history in order, with ids of their own', async () => {
      const id = await desk.aDeadLetter();
      await desk.post(`/dead-letters/${id}/acknowledge`, { reason: 'we know' });
      const { status, body } = await desk.get(`/dead-letters/${id}/history`);
      expect([status, fieldsOf(body.data)]).toEqual([200, exactly(['deadLetter', 'replayLinkage', 'timeline'])]);
      expect(fieldsOf(body.data.replayLinkage)).toEqual(exactly(LINKAGE_FIELDS));
      const timeline = body.data.timeline as Record<string, string>[];
      expect(timeline.map(({ eventType }) => eventType)).toEqual([
        'delivery.created',
        'delivery.attempt_failed',
        'delivery.attempt_failed',
        'delivery.dead',
        'dead_letter.acknowledged',
      ]);
      expect(timeline.at(-1)).toMatchObject({ actor: 'operator', payload: { reason: 'we know' } });
      for (const event of timeline) {
        expect(fieldsOf(event)).toEqual(exactly(['eventId', 'eventType', 'actor', 'payload', 'createdAt']));
        expect(event.eventId).toMatch(UUID);
      }
      expect(new Set(timeline.map(({ eventId }) => eventId)).size).toBe(timeline.length);
      const again = (await desk.get(`/dead-letters/${id}/history`)).body.data.timeline;
      expect(again).toEqual(timeline);
    });

    it('says what became of its replay without its history', async () => {
      const id = await desk.aDeadLetter();
      const { status, body } = await desk.get(`/dead-letters/${id}/replay-status`);
      expect([status, fieldsOf(body.data)]).toEqual([200, exactly(['deadLetter', 'replayLinkage'])]);
      expect(body.data.replayLinkage).toEqual({
        originalJobId: id,
        isReplay: false,
        hasReplay: false,
        replayOfJobId: null,
        replayedJobId: null,
        replayJobStatus: null,
      });
    });

    it.each(['', '/history', '/replay-status'])(
      'is 404 for an id of nobody%s, and 400 for what is no UUID',
      async (path) => {
        const absent = await desk.get(`/dead-letters/${randomUUID()}${path}`);
        expect([absent.status, absent.body.error?.code]).toEqual([404, 'DEAD_LETTER_NOT_FOUND']);
        for (const id of ['1', 'not-a-uuid', '%00', "'; drop table delivery --"])
          expect(await desk.refusal(desk.get(`/dead-letters/${encodeURIComponent(id)}${path}`))).toEqual([
            400,
            'VALIDATION_ERROR',
          ]);
      },
    );

    it('is found by its id in capitals too, and what was delivered is none', async () => {
      const id = await desk.aDeadLetter();
      expect((await desk.get(`/dead-letters/${id.toUpperCase()}`)).status).toBe(200);
      await desk.change(`update delivery set status = 'delivered'`);
      expect(await desk.refusal(desk.get(`/dead-letters/${id}`))).toEqual([404, 'DEAD_LETTER_NOT_FOUND']);
      expect(await desk.refusal(desk.post(`/dead-letters/${id}/replay`))).toEqual([404, 'DEAD_LETTER_NOT_FOUND']);
      expect(await desk.refusal(desk.post(`/dead-letters/${id}/acknowledge`))).toEqual([404, 'DEAD_LETTER_NOT_FOUND']);
    });
  });

  describe('replay', () => {
    it('makes a new delivery, linked both ways, which goes out', async () => {
      const id = await desk.aDeadLetter({ caption: 'Clinic north' });
      desk.sink.answer = () => undefined;
      const { status, body } = await desk.post(`/dead-letters/${id}/replay`, { reason: 'it is back' });
      expect([status, fieldsOf(body.data)]).toEqual([200, ['originalJob', 'replayJob']]);
      const { originalJob, replayJob } = body.data;
      for (const job of [originalJob, replayJob]) expect(fieldsOf(job)).toEqual(exactly(JOB_FIELDS));
      expect(originalJob).toMatchObject({
        jobId: id,
        ehr: 'Clinic north',
        status: 'dead_failed',
        operatorStatus: 'replayed',
        lastError: 'The endpoint answered 500.',
        replayedJobId: replayJob.jobId,
        replayOfJobId: null,
      });
      expect(replayJob).toMatchObject({
        noteId: originalJob.noteId,
        ehr: 'Clinic north',
        status: 'queued',
        attempts: 0,
        lastError: null,
        reasonCode: null,
        replayOfJobId: id,
        replayedJobId: null,
      });
      await until(async () => (await desk.scene.statuses()).delivered === 1);
      const { replayLinkage } = (await desk.get(`/dead-letters/${id}/replay-status`)).body.data;
      expect(replayLinkage).toEqual({
        originalJobId: id,
        isReplay: false,
        hasReplay: true,
        replayOfJobId: null,
        replayedJobId: replayJob.jobId,
        replayJobStatus: 'delivered',
      });
      expect(await desk.refusal(desk.get(`/dead-letters/${replayJob.jobId}`))).toEqual([404, 'DEAD_LETTER_NOT_FOUND']);
    });

    it('of which another may be made when it dies, and the chain leads to its beginning', async () => {
      const first = await desk.aDeadLetter();
      const second = (await desk.post(`/dead-letters/${first}/replay`)).body.data.replayJob.jobId as string;
      await until(async () => (await desk.scene.statuses()).dead === 2);
      const { data } = (await desk.get(`/dead-letters/${second}`)).body;
      expect(data.replayLinkage).toEqual({ replayOfJobId: first, replayedJobId: null });
      const third = (await desk.post(`/dead-letters/${second}/replay`)).body.data.replayJob.jobId as string;
      await until(async () => (await desk.scene.statuses()).dead === 3);
      const { replayLinkage, timeline } = (await desk.get(`/dead-letters/${third}/history`)).body.data;
      expect(replayLinkage).toEqual({
        originalJobId: first,
        isReplay: true,
        hasReplay: false,
        replayOfJobId: second,
        replayedJobId: null,
        replayJobStatus: null,
      });
      expect((timeline as { eventType: string }[]).map(({ eventType }) => eventType)).toContain(
        'delivery.created_by_replay',
      );
    });

    it('is refused for each reason of its own', async () => {
      const webhook = await desk.failingWebhook();
      const [id, other, third] = (await desk.deadLetters(webhook, 3)) as [string, string, string];
      const replay = (which: string): Promise<[number, string | undefined]> =>
        desk.refusal(desk.post(`/dead-letters/${which}/replay`));

      await desk.post(`/dead-letters/${other}/replay`);
      expect(await replay(other)).toEqual([409, 'WRITEBACK_REPLAY_ALREADY_EXISTS']);

      await desk.scene.setStatus(webhook, 'paused');
      expect(await replay(id)).toEqual([409, 'WRITEBACK_PRECONDITION_FAILED']);
      expect(await replay(other)).toEqual([409, 'WRITEBACK_REPLAY_ALREADY_EXISTS']);
      await desk.scene.setStatus(webhook, 'active');

      const [head] = await desk.rows<{ dropped_to: string }>('select dropped_to from org_head');
      await desk.change('update org_head set dropped_to = position');
      expect(await replay(id)).toEqual([409, 'WRITEBACK_PRECONDITION_FAILED']);
      await desk.change(`update org_head set dropped_to = ${head!.dropped_to}`);

      await desk.scene.setStatus(webhook, 'revoked');
      expect(await replay(id)).toEqual([409, 'ILLEGAL_NOTE_STATE_TRANSITION']);

      const waiting = await desk.failingWebhook({ retry_schedule: [0, 3_600] });
      await desk.scene.publish(1);
      await until(async () => (await desk.rows(`select 1 from delivery_due`)).length > 0);
      const query = `/dead-letters?status=retryable_failed&orgcode=${desk.scene.orgcode}`;
      await until(async () => (await desk.get(query)).body.data.length > 0);
      const [failing] = (await desk.get(query)).body.data;
      expect(await replay(failing.jobId as string)).toEqual([409, 'DEAD_LETTER_REPLAY_REQUIRES_DEAD_FAILED']);
      expect(waiting.webhook_id).toBeDefined();
      expect((await desk.rows(`select 1 from dead_letter_mark`)).length).toBe(1);
      expect(third).toBeDefined();
    });

    it('of what was acknowledged is allowed, and not the other way round', async () => {
      const id = await desk.aDeadLetter();
      expect((await desk.post(`/dead-letters/${id}/acknowledge`)).status).toBe(200);
      expect((await desk.post(`/dead-letters/${id}/replay`)).status).toBe(200);
      expect(await desk.refusal(desk.post(`/dead-letters/${id}/acknowledge`))).toEqual([
        409,
        'DEAD_LETTER_ALREADY_ACKNOWLEDGED',
      ]);
      const types = ((await desk.get(`/dead-letters/${id}/history`)).body.data.timeline as { eventType: string }[]).map(
        ({ eventType }) => eventType,
      );
      expect(types.slice(-2)).toEqual(['dead_letter.acknowledged', 'dead_letter.replayed']);
    });
  });

  describe('acknowledge', () => {
    it('is noted once', async () => {
      const id = await desk.aDeadLetter();
      const { status, body } = await desk.post(`/dead-letters/${id}/acknowledge`);
      expect([status, fieldsOf(body.data)]).toEqual([200, exactly(JOB_FIELDS)]);
      expect(body.data).toMatchObject({ jobId: id, operatorStatus: 'acknowledged', status: 'dead_failed' });
      expect(await desk.refusal(desk.post(`/dead-letters/${id}/acknowledge`))).toEqual([
        409,
        'DEAD_LETTER_ALREADY_ACKNOWLEDGED',
      ]);
      expect(await desk.refusal(desk.post(`/dead-letters/${randomUUID()}/acknowledge`))).toEqual([
        404,
        'DEAD_LETTER_NOT_FOUND',
      ]);
      expect(await desk.refusal(desk.post('/dead-letters/7/acknowledge'))).toEqual([400, 'VALIDATION_ERROR']);
    });
  });

  it('stand in the audit of the organisation, done and refused', async () => {
    const id = await desk.aDeadLetter();
    await desk.post(`/dead-letters/${id}/acknowledge`, { reason: 'seen' });
    await desk.post(`/dead-letters/${id}/acknowledge`);
    await desk.post(`/dead-letters/${id}/replay`);
    const { items } = (await desk.scene.call('audit/list', { limit: 256 })).body.data as {
      items: Record<string, unknown>[];
    };
    const acts = items.filter(({ event_type }) => String(event_type).startsWith('operator/')).reverse();
    expect(
      acts.map(({ event_type, outcome, actor, error_tag, reason }) => ({
        event_type,
        outcome,
        actor,
        error_tag,
        reason,
      })),
    ).toEqual([
      { event_type: 'operator/writeback/acknowledge', outcome: 'done', actor: 'operator', reason: 'seen' },
      {
        event_type: 'operator/writeback/acknowledge',
        outcome: 'refused',
        actor: 'operator',
        error_tag: 'dead_letter_already_acknowledged',
      },
      { event_type: 'operator/writeback/replay', outcome: 'done', actor: 'operator' },
    ]);
    const { before, after, resource_id } = acts[0] as { before: object; after: object; resource_id: string };
    expect([resource_id, before, after]).toEqual([
      id,
      expect.objectContaining({ operatorStatus: 'open' }),
      expect.objectContaining({ operatorStatus: 'acknowledged' }),
    ]);
  });
});

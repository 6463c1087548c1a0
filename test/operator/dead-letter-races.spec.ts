import { TestApi } from '../support/api.js';
import { OPERATED, OPERATOR_KEY, OperatorDesk, type OperatorAnswer } from '../support/operator-desk.js';
import { until } from '../support/until.js';
import { WebhookSink } from '../support/webhook-sink.js';

jest.setTimeout(120_000);

const AT_ONCE = 50;

describe('operators who do the same at the same time', () => {
  let api: TestApi;
  let other: TestApi;
  let sink: WebhookSink;
  let desk: OperatorDesk;

  beforeAll(async () => {
    sink = await WebhookSink.start();
    api = await TestApi.start(OPERATED);
    other = await TestApi.startOn(api.database, { ...OPERATED, IPM_ROLE: 'api' }); // a second process, as it were
  });
  afterAll(async () => {
    await other.app.close();
    await api.close();
    await sink.stop();
  });
  beforeEach(async () => {
    desk = await OperatorDesk.of(api, sink);
  });

  const post = async (app: TestApi, path: string): Promise<OperatorAnswer> => {
    const answer = await app.app.inject({
      method: 'POST',
      url: `/api/v1/operator/writeback${path}`,
      headers: { 'x-api-key': OPERATOR_KEY },
    });
    return { status: answer.statusCode, headers: answer.headers, text: answer.body, body: answer.json() };
  };
  const allAtOnce = (path: (i: number) => string): Promise<OperatorAnswer[]> =>
    Promise.all(Array.from({ length: AT_ONCE }, (_, i) => post(i % 2 === 0 ? api : other, path(i))));
  const tally = (answers: readonly OperatorAnswer[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { status, body } of answers) {
      const name = `${status} ${body.error?.code ?? 'done'}`;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  };

  it('make one replay of a dead letter, and the others are told that there is one', async () => {
    const id = await desk.aDeadLetter();
    sink.answer = () => undefined;
    const answers = await allAtOnce(() => `/dead-letters/${id}/replay`);
    expect(tally(answers)).toEqual({ '200 done': 1, '409 WRITEBACK_REPLAY_ALREADY_EXISTS': AT_ONCE - 1 });
    await until(async () => (await desk.scene.statuses()).delivered === 1);
    expect(await desk.rows('select replay_no from delivery')).toHaveLength(2);
    expect(await desk.rows('select replayed_as from dead_letter_mark')).toHaveLength(1);
    expect((await desk.rows<{ act: string }>('select act from dead_letter_act')).map(({ act }) => act).sort()).toEqual([
      'created_by_replay',
      'replayed',
    ]);
    const { replayJob } = answers.find(({ status }) => status === 200)!.body.data;
    const { replayLinkage } = (await desk.get(`/dead-letters/${id}/replay-status`)).body.data;
    expect(replayLinkage).toMatchObject({ replayedJobId: replayJob.jobId, replayJobStatus: 'delivered' });
  });

  it('acknowledge a dead letter once', async () => {
    const id = await desk.aDeadLetter();
    const answers = await allAtOnce(() => `/dead-letters/${id}/acknowledge`);
    expect(tally(answers)).toEqual({ '200 done': 1, '409 DEAD_LETTER_ALREADY_ACKNOWLEDGED': AT_ONCE - 1 });
    expect(await desk.rows('select 1 from dead_letter_act')).toHaveLength(1);
    const done = await desk.rows<{ outcome: string }>(`select outcome, event_type, orgcode from audit_event`);
    expect(done.length).toBeGreaterThan(AT_ONCE - 1);
  });

  it('and differ: there is one replay, and at most one acknowledgement, which came before it', async () => {
    const id = await desk.aDeadLetter();
    sink.answer = () => undefined;
    const answers = await allAtOnce((i) => `/dead-letters/${id}/${i % 4 < 2 ? 'replay' : 'acknowledge'}`);
    const done = answers.filter(({ status }) => status === 200);
    expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true);
    expect(done.filter(({ body }) => body.data.replayJob)).toHaveLength(1);
    expect(done.length).toBeLessThanOrEqual(2);
    const { timeline, deadLetter } = (await desk.get(`/dead-letters/${id}/history`)).body.data;
    expect(deadLetter.operatorStatus).toBe('replayed');
    const acts = (timeline as { eventType: string }[]).filter(({ eventType }) => eventType.startsWith('dead_letter.'));
    expect(acts.at(-1)?.eventType).toBe('dead_letter.replayed');
    expect(acts).toHaveLength(done.length);
  });

  it('while the organisation retries it by hand: it goes out once more, not twice', async () => {
    const id = await desk.aDeadLetter();
    sink.answer = () => undefined;
    const [retried, ...replays] = await Promise.all([
      desk.scene.call('webhook/delivery/retry', { delivery_id: id }),
      ...Array.from({ length: 10 }, () => post(api, `/dead-letters/${id}/replay`)),
    ]);
    const done = replays.filter(({ status }) => status === 200).length + (retried.status === 200 ? 1 : 0);
    expect(done).toBe(1);
    await until(async () => (await desk.scene.statuses()).delivered === 1);
    await until(async () => (await desk.rows('select 1 from delivery_due')).length === 0);
    expect((await desk.scene.statuses()).delivered).toBe(1);
  });

  it('leave nothing behind where it breaks at the last step, and the next one begins anew', async () => {
    const id = await desk.aDeadLetter();
    await desk.api.database.asOwner(
      `create function spec_breaks() returns trigger language plpgsql as $$ begin raise exception 'broken by a spec'; end $$;
       create trigger spec_breaks before insert on audit_event for each row when (new.event_type like 'operator/%') execute function spec_breaks()`,
    );
    const before = await everything();
    expect((await post(api, `/dead-letters/${id}/replay`)).status).toBe(500);
    expect((await post(api, `/dead-letters/${id}/acknowledge`)).status).toBe(500);
    expect(await everything()).toEqual(before);
    await desk.api.database.asOwner('drop trigger spec_breaks on audit_event; drop function spec_breaks');
    expect((await post(api, `/dead-letters/${id}/replay`)).status).toBe(200);
  });

  const everything = async (): Promise<object[]> => {
    const tables = ['delivery', 'delivery_due', 'delivery_dead', 'dead_letter_mark', 'dead_letter_act'];
    return Promise.all(tables.map((table) => desk.rows(`select * from ${table}`)));
  };
});

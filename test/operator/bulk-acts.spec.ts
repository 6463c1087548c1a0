import { randomUUID } from 'node:crypto';
import { eachAtADesk, type OperatorDesk } from '../support/operator-desk.js';
import { until } from '../support/until.js';

jest.setTimeout(120_000);

describe('acts on many dead letters', () => {
  let desk: OperatorDesk;

  eachAtADesk((opened) => (desk = opened));

  const ours = (more: object = {}): object => ({ orgcode: desk.scene.orgcode, ...more });
  const order = async (act: string, filter: object, reason?: string): Promise<Record<string, unknown>> => {
    const { status, body } = await desk.post('/bulk-acts', { act, filter, ...(reason && { reason }) });
    expect([status, body.ok]).toEqual([200, true]);
    return body.data;
  };
  const ended = async ({ bulkActId }: Record<string, unknown>): Promise<Record<string, unknown>> => {
    let seen: Record<string, unknown> = {};
    await until(async () => {
      seen = (await desk.get(`/bulk-acts/${String(bulkActId)}`)).body.data;
      return seen.status === 'completed';
    });
    return seen;
  };

  it('are counted first, then done to each, and are an operation run', async () => {
    await desk.manyDeadLetters(30);
    const { body } = await desk.post('/bulk-acts/count', { act: 'replay', filter: ours() });
    expect(body).toEqual({ ok: true, data: { matched: 30, isAtLeast: false } });
    expect(await desk.rows('select 1 from dead_letter_mark')).toEqual([]);
    desk.sink.answer = () => undefined;
    const end = await ended(await order('replay', ours(), 'it is back'));
    expect(end).toMatchObject({ act: 'replay', outcome: 'succeeded', matched: 30, done: 30, skipped: {} });
    await until(async () => (await desk.scene.statuses()).delivered === 30);
    const [run] = await desk.api.database.asOwner<Record<string, unknown>>(
      'select type, status, outcome, counts, orgcode from operation_run where id = $1',
      [end.operationRunId],
    );
    expect(run).toEqual({
      type: 'dead_letter_bulk_act',
      status: 'completed',
      outcome: 'succeeded',
      counts: { matched: 30, done: 30, skipped: 0 },
      orgcode: desk.scene.orgcode,
    });
    const audited = await desk.rows<{ event_type: string; reason: string }>(
      'select event_type, reason from audit_event',
    );
    expect(
      audited.filter(({ event_type, reason }) => event_type === 'operator/writeback/replay' && reason === 'it is back'),
    ).toHaveLength(30);
  });

  it('mean what the filter says, and no more', async () => {
    const [mine, theirs] = [await desk.failingWebhook(), await desk.failingWebhook()];
    await desk.deadLetters(mine, 1, {});
    const { data: all } = (await desk.post('/bulk-acts/count', { act: 'acknowledge', filter: ours() })).body;
    expect(all.matched).toBeGreaterThanOrEqual(1);
    const filter = ours({ webhookId: theirs.webhook_id, reason: 'http_500', status: 'dead_failed' });
    await until(
      async () => (await desk.post('/bulk-acts/count', { act: 'acknowledge', filter })).body.data.matched === 1,
    );
    const end = await ended(await order('acknowledge', filter));
    expect(end).toMatchObject({ outcome: 'succeeded', matched: 1, done: 1 });
    const marked = await desk.rows<{ lane: string }>('select lane from dead_letter_mark');
    expect(marked).toHaveLength(1);
    for (const nobody of [
      { reason: 'http_404' },
      { failedTo: '2001-01-01T00:00:00Z' },
      { failedFrom: '2100-01-01T00:00:00Z' },
    ])
      expect((await desk.post('/bulk-acts/count', { act: 'replay', filter: ours(nobody) })).body.data.matched).toBe(0);
  });

  it('pass over what is refused, and say why', async () => {
    const [first] = await desk.manyDeadLetters(4);
    desk.sink.answer = () => ({ status: 500 });
    await desk.post(`/dead-letters/${first}/replay`);
    await until(async () => (await desk.scene.statuses()).dead === 5);
    const end = await ended(await order('replay', ours()));
    expect(end).toMatchObject({
      outcome: 'partially_succeeded',
      matched: 5,
      done: 4,
      skipped: { WRITEBACK_REPLAY_ALREADY_EXISTS: 1 },
    });
  });

  it('go on after one that breaks, and count it', async () => {
    const [broken] = await desk.manyDeadLetters(5);
    const { body } = await desk.get(`/dead-letters/${broken}`);
    expect(body.ok).toBe(true);
    await desk.api.database.asOwner(
      `create function spec_breaks() returns trigger language plpgsql as $$ begin raise exception 'broken by a spec'; end $$;
       create trigger spec_breaks before insert on audit_event for each row when (new.resource_id = '${broken}' and new.outcome = 'done')
       execute function spec_breaks()`,
    );
    const end = await ended(await order('acknowledge', ours()));
    await desk.api.database.asOwner('drop trigger spec_breaks on audit_event; drop function spec_breaks');
    expect(end).toMatchObject({ outcome: 'partially_succeeded', done: 4, skipped: { INTERNAL_ERROR: 1 } });
    expect(await desk.rows('select 1 from dead_letter_mark')).toHaveLength(4);
  });

  it('twice at the same time make one replay of each', async () => {
    await desk.manyDeadLetters(25);
    desk.sink.answer = () => undefined;
    const ends = await Promise.all(
      [order('replay', ours()), order('replay', ours())].map(async (one) => ended(await one)),
    );
    const done = ends.reduce((sum, end) => sum + Number(end.done), 0);
    expect(done).toBe(25);
    await until(async () => (await desk.scene.statuses()).delivered === 25);
    expect(await desk.rows('select 1 from dead_letter_mark')).toHaveLength(25);
  });

  it('are cancelled between two steps: what is done stays done', async () => {
    await desk.manyDeadLetters(100);
    const bulkAct = await order('acknowledge', ours());
    const { status } = await desk.post(`/bulk-acts/${String(bulkAct.bulkActId)}/cancel`);
    expect(status).toBe(200);
    const end = await ended(bulkAct);
    expect(end).toMatchObject({ cancelAsked: true });
    if (end.outcome === 'blocked') expect(Number(end.done)).toBeLessThan(100);
    expect(await desk.rows('select 1 from dead_letter_mark')).toHaveLength(Number(end.done));
  });

  it('go on where a lost worker has left them, and count nothing twice', async () => {
    await desk.manyDeadLetters(10);
    const end = await ended(await order('acknowledge', ours()));
    await desk.api.database.asOwner(
      `update dead_letter_bulk_act set status = 'running', outcome = null, done = 0, done_to = '{}' where bulk_act_id = $1`,
      [end.bulkActId],
    );
    const again = await ended({ bulkActId: end.bulkActId });
    expect(again).toMatchObject({ outcome: 'succeeded', matched: 10, done: 10, skipped: {} });
    expect(await desk.rows('select 1 from dead_letter_act')).toHaveLength(10);
  });

  it.each([
    [{ act: 'delete', filter: {} }],
    [{ act: 'replay' }],
    [{ act: 'replay', filter: { status: 'dead' } }],
    [{ act: 'replay', filter: { webhookId: 'whk' } }],
    [{ act: 'replay', filter: { failedFrom: 'yesterday' } }],
  ])('are refused as %j', async (body) => {
    expect(await desk.refusal(desk.post('/bulk-acts', body))).toEqual([400, 'VALIDATION_ERROR']);
    expect(await desk.refusal(desk.post('/bulk-acts/count', body))).toEqual([400, 'VALIDATION_ERROR']);
  });

  it('of nobody are not found', async () => {
    expect(await desk.refusal(desk.get(`/bulk-acts/${randomUUID()}`))).toEqual([404, 'BULK_ACT_NOT_FOUND']);
    expect(await desk.refusal(desk.post(`/bulk-acts/${randomUUID()}/cancel`))).toEqual([404, 'BULK_ACT_NOT_FOUND']);
    expect(await desk.refusal(desk.get('/bulk-acts/7'))).toEqual([400, 'VALIDATION_ERROR']);
  });
});

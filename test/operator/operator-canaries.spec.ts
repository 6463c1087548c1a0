import { randomBytes, randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { log } from '../../src/platform/telemetry/logger.js';
import { TestApi } from '../support/api.js';
import { testRedisUrl } from '../support/environment.js';
import { OPERATOR_KEY, OperatorDesk, type OperatorAnswer } from '../support/operator-desk.js';
import { until } from '../support/until.js';
import { WebhookSink } from '../support/webhook-sink.js';

jest.setTimeout(120_000);

const WITHHELD = /"?(idempotency.?key|last.?error.?detail|attempt.?history)"?\s*:/i;

/** A secret of its own for each field, so that a find says where it came from. */
class Canaries {
  private readonly mark = randomBytes(8).toString('hex');

  of(field: string): string {
    return `cnry-${field}-${this.mark}`;
  }

  foundIn(text: string): string[] {
    return [...text.matchAll(new RegExp(`cnry-([\\w-]+?)-${this.mark}`, 'g'))].map(([, field]) => field!);
  }
}

/** Everything that a field of an outsider's can be called and still be a secret. */
function nestedSecrets(canaries: Canaries): object {
  return {
    password: canaries.of('password'),
    Api_Key: canaries.of('api-key'),
    list: [
      { 'x-authorization': { deep: [canaries.of('authorization')] } },
      { clientSecret: canaries.of('client-secret') },
    ],
    note: `Bearer ${canaries.of('bearer')}`,
    url: `https://u:${canaries.of('userinfo')}@h/?access_token=${canaries.of('query')}`,
    idempotencyKey: canaries.of('idempotency'),
    lastErrorDetail: { raw: canaries.of('detail') },
    attempt_history: [canaries.of('attempts')],
  };
}

describe('what outsiders write is nowhere to be found', () => {
  let api: TestApi;
  let sink: WebhookSink;
  let desk: OperatorDesk;
  let redis: Redis;
  let listener: Redis;
  const canaries = new Canaries();
  const answers: OperatorAnswer[] = [];
  const lines: string[] = [];
  const rings: string[] = [];

  beforeAll(async () => {
    sink = await WebhookSink.start();
    redis = new Redis(testRedisUrl());
    listener = new Redis(testRedisUrl());
    await listener.psubscribe('*');
    listener.on('pmessage', (_pattern: string, channel: string, message: string) =>
      rings.push(`${channel} ${message}`),
    );
    api = await TestApi.start({ WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8', API_KEY: OPERATOR_KEY });
    log.level = 'trace';
    jest.spyOn(process.stdout, 'write').mockImplementation((line) => {
      lines.push(String(line));
      return true;
    });
    desk = await OperatorDesk.of(api, sink);
    await plantAndAskEverything();
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    await Promise.all([redis.quit(), listener.quit()]);
    await api.close();
    await sink.stop();
  });

  const keep = async (answer: Promise<OperatorAnswer>): Promise<OperatorAnswer> => {
    answers.push(await answer);
    return answer;
  };

  async function plantAndAskEverything(): Promise<void> {
    const webhook = await plantedWebhook();
    sink.answer = () => ({
      status: 500,
      headers: { 'x-secret': canaries.of('answer-header') },
      body: `{"token":"${canaries.of('answer-body')}","text":"${canaries.of('answer-text')}"}`,
    });
    await desk.scene.publish(3, plantedEvent);
    await until(async () => ((await desk.scene.statuses()).dead ?? 0) >= 3);
    const ids = (await keep(desk.get('/dead-letters'))).body.data.map(({ jobId }: { jobId: string }) => jobId);
    await askAll(ids);
    await plantActs();
    await askAll(ids);
    await desk.scene.call('webhook/delivery/retry', {
      delivery_id: ids[2],
      reason: `password=${canaries.of('retry-reason')}`,
      idempotency_key: canaries.of('retry-key'),
    });
    await desk.scene.setStatus(webhook, 'revoked', { reason: `secret: ${canaries.of('revoke-reason')}` });
    await askAll(ids);
    await keep(desk.get('/status/summary', { 'x-api-key': canaries.of('wrong-key') }));
    await keep(desk.get('/dead-letters', { 'idempotency-key': canaries.of('operator-idempotency') }));
  }

  async function plantedWebhook(): Promise<Awaited<ReturnType<OperatorDesk['failingWebhook']>>> {
    const { body } = await desk.scene.call('webhook/create', {
      caption: `Clinic (api_key=${canaries.of('caption')})`,
      endpoint_url: `${sink.url}/${canaries.of('path')}?token=${canaries.of('url-query')}`,
      event_filters: [{ service: 'pos' }],
      headers: { authorization: `Bearer ${canaries.of('header')}`, 'x-plain': canaries.of('plain-header') },
      retry_schedule: [0, 0],
      reason: `password=${canaries.of('webhook-reason')}`,
      source_refs: [{ kind: 'ticket', id: canaries.of('webhook-ref') }],
      idempotency_key: canaries.of('create-key'),
    });
    return { ...(body.data as { webhook_id: string; signing_secret: string; revision: string }), path: '' };
  }

  function plantedEvent(n: number): object {
    return {
      event_id: `whsec_${canaries.of('event-id')}-${n}-${randomUUID()}`,
      reason: canaries.of('event-reason'),
      resource_id: canaries.of('resource-id'),
      ordering_key: canaries.of('ordering-key'),
      channel_code: canaries.of('channel'),
      payload: { ...nestedSecrets(canaries), plain: canaries.of('payload') },
    };
  }

  /** What operators say themselves, and what a timeline would hold should anybody ever put it there. */
  async function plantActs(): Promise<void> {
    const [first, second] = (await desk.get('/dead-letters')).body.data as { jobId: string }[];
    await keep(desk.post(`/dead-letters/${first!.jobId}/replay`, { reason: `token: ${canaries.of('replay-reason')}` }));
    await keep(
      desk.post(`/dead-letters/${second!.jobId}/acknowledge`, { reason: `Bearer ${canaries.of('ack-reason')}` }),
    );
    await keep(
      desk.post(`/dead-letters/${second!.jobId}/acknowledge`, { reason: `pwd=${canaries.of('refused-reason')}` }),
    );
    expect(JSON.stringify(await desk.rows('select payload from dead_letter_act'))).not.toContain('cnry');
    await desk.api.database.asOwner('update dead_letter_act set payload = payload || $2::jsonb where orgcode = $1', [
      desk.scene.orgcode,
      JSON.stringify({ planted: nestedSecrets(canaries) }),
    ]);
  }

  async function askAll(ids: readonly string[]): Promise<void> {
    await keep(desk.get('/status/summary'));
    await keep(desk.get('/dead-letters?limit=100'));
    for (const id of ids)
      for (const path of ['', '/history', '/replay-status']) await keep(desk.get(`/dead-letters/${id}${path}`));
    for (const act of ['replay', 'acknowledge']) {
      await keep(desk.post('/bulk-acts/count', { act, filter: { orgcode: desk.scene.orgcode } }));
      await keep(
        desk.post('/bulk-acts', { act, filter: { orgcode: 'nobody' }, reason: `secret=${canaries.of('bulk')}` }),
      );
    }
    await keep(desk.post(`/dead-letters/${ids[0]}/replay`, { reason: 'x'.repeat(2_001) }));
  }

  it('in any answer of the room', () => {
    expect(answers.length).toBeGreaterThan(40);
    expect(answers.some(({ text }) => text.includes('planted'))).toBe(true);
    for (const { text, headers } of answers) {
      expect(canaries.foundIn(text)).toEqual([]);
      expect(canaries.foundIn(JSON.stringify(headers))).toEqual([]);
      expect(text).not.toMatch(WITHHELD);
      expect(text).not.toContain(OPERATOR_KEY);
    }
  });

  it('in any line of the log', () => {
    const text = lines.join('');
    expect(canaries.foundIn(text)).toEqual([]);
    expect(text).not.toContain(OPERATOR_KEY);
  });

  it('in Redis, nor in what went over it', async () => {
    const held: string[] = [];
    for (const key of await redis.keys('*')) {
      held.push(
        key,
        JSON.stringify(await redis.hgetall(key).catch(() => ({}))),
        (await redis.get(key).catch(() => '')) ?? '',
      );
      held.push(((await redis.dumpBuffer(key)) ?? Buffer.alloc(0)).toString('latin1'));
    }
    expect(held.length).toBeGreaterThan(0);
    expect(canaries.foundIn([...held, ...rings].join('\n'))).toEqual([]);
    expect(held.join('\n')).not.toContain(OPERATOR_KEY);
  });

  it('although all of it was there to be found', async () => {
    const stored = await desk.rows<{ row: string }>(`select e.envelope as row, orgcode from event e`);
    const found = new Set(canaries.foundIn(JSON.stringify(stored)));
    expect([...found]).toEqual(expect.arrayContaining(['payload', 'password', 'bearer', 'event-id']));
    const excerpts = await desk.rows<{ excerpt: string }>('select excerpt from delivery_attempt');
    expect(canaries.foundIn(JSON.stringify(excerpts))).toEqual(expect.arrayContaining(['answer-body']));
  });
});

import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { CredentialVerifier } from '../../src/access/credential-verifier.js';
import { answerJson, IntrospectionService } from '../support/introspection-service.js';
import { TestApi, writeGrounds, type ApiAnswer } from '../support/api.js';

/** The product waits a second for headers and for the whole answer; timers of a busy machine come on top. */
const FAILS_WITHIN_MS = 4_000;

describe('sessions of an identity service', () => {
  let service: IntrospectionService;
  let api: TestApi;
  let first: string;
  let second: string;

  beforeAll(async () => {
    service = await IntrospectionService.start();
    api = await TestApi.start({ SESSION_INTROSPECTION_URL: service.url });
    first = await api.anOrg();
    second = await api.anOrg();
  });
  afterAll(async () => {
    await api.close();
    await service.stop();
  });

  const usual = (response: ServerResponse, guid: string): void =>
    answerJson(response, service.sessions.get(guid) ?? { active: false });
  beforeEach(() => {
    service.calls.length = 0;
    service.behaviour = usual;
  });

  function aSession(answer: object = {}): string {
    const guid = randomUUID();
    const orgs = [{ orgcode: first, roles: ['integration_view'] }];
    service.sessions.set(guid, {
      active: true,
      actor: 'ada',
      orgs,
      expires_at: new Date(Date.now() + 60_000).toISOString(),
      ...answer,
    });
    return guid;
  }

  function ask(guid: string, { org = first, path = '/pagination/get', headers = {} } = {}): Promise<ApiAnswer> {
    return api.call(path, {}, { orgcode: org, headers: { 'x-session-guid': guid, ...headers } });
  }

  it('are asked for as agreed: POST of the GUID as JSON, and the answer says who calls', async () => {
    const guid = aSession();
    const { status, body } = await ask(guid);
    expect(status).toBe(200);
    expect(body.stats).toMatchObject({ actor: 'ada', context_source: 'session', roles: ['integration_view'] });
    expect(service.calls).toMatchObject([{ method: 'POST', url: '/introspect?v=1', body: { session_guid: guid } }]);
    expect(service.calls[0]?.headers['content-type']).toBe('application/json');
  });

  it('belong to several organisations, in each with its own roles', async () => {
    const guid = aSession({
      orgs: [
        { orgcode: first, roles: ['integration_view'] },
        { orgcode: second, roles: ['owner'] },
        { orgcode: 'not-here', roles: ['owner'] },
      ],
    });
    expect((await ask(guid, { path: '/access/org/get' })).status).toBe(403);
    expect((await ask(guid, { org: second, path: '/access/org/get' })).body.stats).toMatchObject({
      orgcode: second,
      roles: ['owner'],
    });
    expect((await ask(guid, { org: 'not-here' })).status).toBe(404);
    expect((await ask(guid, { org: await api.anOrg() })).status).toBe(404);
  });

  it('that are inactive are refused like any bad credential, and asked for again', async () => {
    const guid = randomUUID();
    expect(await ask(guid)).toMatchObject({ status: 401, body: { error: { error_code: 'credential_invalid' } } });
    service.sessions.set(guid, { active: true, actor: 'ada', orgs: [{ orgcode: first, roles: ['integration_view'] }] });
    expect((await ask(guid)).status).toBe(200);
  });

  it('are believed for 30 seconds: many calls, one question, also when they come at once', async () => {
    const guid = aSession();
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(guid)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    await ask(guid);
    expect(service.calls).toHaveLength(1);
    const credential = { kind: 'session', secret: guid } as const;
    const verified = await api.app.get(CredentialVerifier).verify(credential, Buffer.alloc(32), '00-0-0-00');
    expect(verified?.trustedForMs).toBe(30_000);
  });

  it('end when the service says, also within these 30 seconds', async () => {
    const endsAt = Date.now() + 500;
    const guid = aSession({ expires_at: new Date(endsAt).toISOString() });
    expect((await ask(guid)).status).toBe(200);
    await sleep(endsAt - Date.now() + 20);
    expect((await ask(guid)).status).toBe(401);
  });

  it('go on with the trace of the caller', async () => {
    const traceId = 'ab'.repeat(16);
    await ask(aSession(), { headers: { traceparent: `00-${traceId}-${'cd'.repeat(8)}-01` } });
    expect(service.calls[0]?.headers.traceparent).toMatch(
      new RegExp(`^00-${traceId}-(?!cdcdcdcdcdcdcdcd)[0-9a-f]{16}-01$`),
    );
  });

  it('hold no roles that we do not know', async () => {
    const guid = aSession({ orgs: [{ orgcode: first, roles: ['root', 7, null, 'constructor', 'integration_view'] }] });
    expect((await ask(guid)).body.stats?.roles).toEqual(['integration_view']);
  });

  const broken: [string, (response: ServerResponse) => void][] = [
    ['an error', (response) => answerJson(response, { active: true }, 500)],
    ['401', (response) => answerJson(response, { active: true }, 401)],
    ['a redirect', (response) => response.writeHead(302, { location: service.url }).end()],
    ['no JSON', (response) => response.end('<html>hello</html>')],
    ['nothing', (response) => response.end()],
    ['null', (response) => answerJson(response, null)],
    ['a text', (response) => answerJson(response, 'active')],
    [
      'an answer of more than 64 KiB',
      (response) => answerJson(response, { active: true, actor: 'ada', padding: 'x'.repeat(70_000) }),
    ],
    [
      'half an answer',
      (response) =>
        void response.writeHead(200, { 'content-length': '100' }).write('{"active":', () => response.destroy()),
    ],
    ['a cut connection', (response) => void response.destroy()],
    ['no answer in time', () => undefined],
    ['an answer that never ends', drip],
  ];

  function drip(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(' '), 200);
    response.on('close', () => clearInterval(timer));
  }

  it.each(broken)('fail closed with 503 when the service gives %s', async (_name, behaviour) => {
    const guid = aSession();
    service.behaviour = behaviour;
    const before = Date.now();
    const answer = await ask(guid);
    expect(answer).toMatchObject({
      status: 503,
      body: { error: { error_code: 'identity_unavailable', retryable: true } },
    });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(Date.now() - before).toBeLessThan(FAILS_WITHIN_MS);
    expect(JSON.stringify(answer.body)).not.toMatch(/undici|ECONN|socket|127\.0\.0\.1|64 KiB/);
    service.behaviour = usual;
    expect((await ask(guid)).status).toBe(200);
  });

  it.each([
    ['active is not true', { active: 'true' }],
    ['nobody is named', { actor: undefined }],
    ['the actor is no text', { actor: 7 }],
    ['the actor has a line break', { actor: 'a\nb' }],
    ['it ended', { expires_at: new Date(0).toISOString() }],
  ])('let nobody in when %s', async (_name, answer) => {
    expect([401, 503]).toContain((await ask(aSession(answer))).status);
  });

  it.each([
    ['no list', 'all'],
    ['a list of nonsense', [null, 7, 'x', {}, { orgcode: 7, roles: [] }]],
    ['roles that are no list', [{ orgcode: 'org', roles: 'owner' }]],
    ['no roles', [{ orgcode: 'org', roles: [] }]],
  ])('give nothing when their organisations are %s', async (_name, orgs) => {
    const named = JSON.parse(JSON.stringify(orgs).replace('"org"', JSON.stringify(first))) as unknown;
    expect([403, 404]).toContain((await ask(aSession({ orgs: named }))).status);
  });

  it('are not opened or closed here', async () => {
    const key = await api.aKey(first, 'owner');
    const open = { ...writeGrounds(first), actor: 'ada', roles: ['integration_view'] };
    for (const [path, request] of [
      ['/access/session/open', open],
      ['/access/session/close', { ...writeGrounds(first), session_id: randomUUID() }],
    ] as const) {
      expect(await api.call(path, request, { orgcode: first, key })).toMatchObject({
        status: 409,
        body: { error: { error_code: 'sessions_elsewhere' } },
      });
    }
  });

  it('that are known go on while the service is away; others and only they are 503', async () => {
    const known = aSession();
    expect((await ask(known)).status).toBe(200);
    service.behaviour = (response) => void response.destroy();
    expect((await ask(known)).status).toBe(200);
    expect((await ask(aSession())).status).toBe(503);
    const key = await api.aKey(first, 'integration_view');
    expect((await api.call('/pagination/get', {}, { orgcode: first, key })).status).toBe(200);
  });
});

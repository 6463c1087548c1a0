import type { Type } from '@nestjs/common';
import { TestApi, type ApiAnswer } from '../support/api.js';
import { operationsOf, type ServedOperation } from '../support/operations.js';
import { crossingRequests, namesOfNobody, type CrossingRequest, type Names } from './crossing-requests.js';
import { anInhabitant, everyRow, type Inhabitant } from './two-organisations.js';

const SAME_REQUEST = { 'x-request-id': 'the-same', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };

describe('the tenant wall, crossed over HTTP', () => {
  let api: TestApi;
  let us: Inhabitant;
  let them: Inhabitant;
  let nobody: Names;
  let operations: ServedOperation[];
  let theirRows: object;
  const answers: string[] = [];

  beforeAll(async () => {
    api = await TestApi.start();
    [us, them] = [await anInhabitant(api), await anInhabitant(api)];
    await anotherEventType();
    nobody = namesOfNobody();
    operations = operationsOf(api.app);
    theirRows = await everyRow(api.database, them.orgcode);
  });
  afterAll(() => api.close());

  const anotherEventType = async (): Promise<void> => {
    const service = them.service;
    const request = crossingRequests['POST event/catalog/register']!(
      { ...them, action: `${them.action}.again`, service },
      them.orgcode,
    )[0]!;
    const { status } = await api.call('/event/catalog/register', request.body, {
      orgcode: them.orgcode,
      key: them.ownerKey,
    });
    expect(status).toBe(200);
  };

  const nameOf = ({ method, call }: ServedOperation): string => `${method} ${call}`;

  const ask = async (
    { call, method }: ServedOperation,
    request: CrossingRequest,
    orgcode: string,
    key = us.ownerKey,
  ): Promise<ApiAnswer> => {
    const headers = {
      ...SAME_REQUEST,
      ...(request.idempotencyKey ? { 'idempotency-key': request.idempotencyKey } : {}),
      ...(request.lastEventId ? { 'last-event-id': request.lastEventId } : {}),
    };
    const path = request.path ?? `/${call}`;
    const answer =
      method === 'GET'
        ? await api.send(path, { method, orgcode, key, headers })
        : await api.call(path, request.body, { orgcode, key, headers });
    answers.push(JSON.stringify(answer));
    return answer;
  };

  it('knows every operation that is served', () => {
    expect(Object.keys(crossingRequests).sort()).toEqual(operations.map(nameOf).sort());
  });

  it('answers for what another organisation has exactly as for what nobody has', async () => {
    for (const operation of operations) {
      const asked = crossingRequests[nameOf(operation)]!;
      const [theirs, nobodys] = [asked(them, us.orgcode), asked(nobody, us.orgcode)];
      for (const [i, request] of theirs.entries()) {
        const about = plain(await ask(operation, request, us.orgcode), them);
        expect({ operation: nameOf(operation), ...about }).toEqual({
          operation: nameOf(operation),
          ...plain(await ask(operation, nobodys[i]!, us.orgcode), nobody),
        });
      }
    }
  });

  it('answers to the header of another organisation exactly as to one of nobody', async () => {
    for (const operation of operations.filter(({ options }) => options.role !== 'anyone')) {
      for (const request of crossingRequests[nameOf(operation)]!(them, them.orgcode)) {
        const about = await ask(operation, request, them.orgcode);
        expect([nameOf(operation), about.status, about.body.error?.error_code]).toEqual([
          nameOf(operation),
          404,
          'org_not_found',
        ]);
        const { headers, body } = await ask(operation, request, nobody.orgcode);
        expect(plain(about, them)).toEqual(plain({ status: 404, headers, body }, nobody));
      }
    }
  });

  /** What a list cannot be asked without. */
  const neededBy = (call: string): object => {
    if (call === 'webhook/delivery/list') return { webhook_id: them.webhookId };
    const year = { from_utc: '2025-01-01T00:00:00Z', to_utc: '2026-01-01T00:00:00Z' };
    return call === 'kpi/query' ? { ...year, kpi_code: them.kpiCode, bucket: 'daily' } : {};
  };

  it("takes no other organisation's next_token", async () => {
    const lists = operations.filter(
      // the token of webhook/replay is looked at after the webhook, which is nobody's of theirs
      ({ body, options }) => body !== undefined && !options.write && propertiesOf(body).includes('next_token'),
    );
    expect(lists.map(({ call }) => call)).toEqual(expect.arrayContaining(['access/key/list', 'audit/list']));
    for (const operation of lists) {
      const filters = { limit: 1, ...neededBy(operation.call) };
      const page = await api.call(operation.path, filters, { orgcode: them.orgcode, key: them.ownerKey });
      const next_token = page.body.data.next_token as object;
      expect([operation.call, typeof next_token]).toEqual([operation.call, 'object']);
      const crossed = await ask(operation, { body: { ...filters, next_token } }, us.orgcode);
      const invented = await ask(operation, { body: { ...filters, next_token: { token: 'WzFd.AAAA' } } }, us.orgcode);
      expect([crossed.status, crossed.body.error?.error_code]).toEqual([400, 'next_token_invalid']);
      expect(plain(crossed, them)).toEqual(plain(invented, them));
      const own = await api.call(
        operation.path,
        { ...filters, next_token },
        { orgcode: them.orgcode, key: them.ownerKey },
      );
      expect([operation.call, own.status]).toEqual([operation.call, 200]);
    }
  });

  it('has shown and changed nothing of the other organisation', async () => {
    expect(answers.length).toBeGreaterThan(operations.length);
    expect(answers.filter((answer) => answer.includes(them.canary))).toEqual([]);
    expect(await everyRow(api.database, them.orgcode)).toEqual(theirRows);
  });
});

/** Without what differs between any two answers: the names asked for, ids just made, times. */
function plain({ status, headers, body }: ApiAnswer, names: Names): object {
  const kept = Object.entries(headers).filter(([name]) => !['date', 'ratelimit', 'content-length'].includes(name));
  let text = JSON.stringify(body);
  const texts = Object.entries(names).filter(([field]) => !['position', 'lane', 'series'].includes(field)); // a short number stands in many places
  for (const [, name] of texts) text = text.replaceAll(String(name), '(name)');
  text = text
    .replace(/"(api_key|signing_secret|secret_last4)":"[^"]+"/g, '"$1":"(new)"')
    .replace(/"position":"\d+"/g, '"position":"(new)"')
    .replace(/("token":"[\w-]+)\.[\w-]+"/g, '$1.(mac)"')
    .replace(/"webhook_id":"whk_[^"]+"/g, '"webhook_id":"(new)"')
    .replace(/"job_id":"job_[^"]+"/g, '"job_id":"(new)"')
    .replace(/bulk\/[0-9a-f]{32}/g, 'bulk/(new)')
    .replace(/"upload_url":"[^"]+"/g, '"upload_url":"(new)"')
    .replace(/"operation_run_id":\d+/g, '"operation_run_id":"(new)"')
    .replace(/"kpi_id":"kpi_[^"]+"/g, '"kpi_id":"(new)"')
    .replace(/"(session_guid|session_id|key_id|fingerprint|audit_id|hash)":"[^"]+"/g, '"$1":"(new)"')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '(time)');
  return { status, headers: Object.fromEntries(kept), text };
}

function propertiesOf({ prototype }: Type): string[] {
  const names = (Reflect.getMetadata('swagger/apiModelPropertiesArray', prototype as object) ?? []) as string[];
  return names.map((name) => name.replace(/^:/, ''));
}

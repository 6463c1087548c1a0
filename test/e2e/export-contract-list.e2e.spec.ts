import { BuiltinCatalog } from '../../src/catalog/builtin-catalog.js';
import { TestApi } from '../support/api.js';
import { assertContractSchema } from '../support/contract.js';
import { anEventType, everyItem, registerType, type Organisation } from '../support/event-types.js';

const PATH = '/export/contract/list';

describe('POST /ipm/export/contract/list', () => {
  let api: TestApi;
  let owner: Organisation;
  beforeAll(async () => {
    api = await TestApi.start();
    owner = await api.anOwner();
    const registered: [string, string, string, object][] = [
      ['aaa', 'one', '1.0', { note: 'mask' }],
      ['zzz', 'two', '1.9', { old: 'drop' }],
      ['zzz', 'two', '1.10', { note: 'hash' }],
      ['zzz', 'plain', '1.0', {}],
      ['scm', 'own.thing', '1.0', { 'buyer.phone': 'drop' }],
    ];
    for (const [service, action, schema_version, redaction] of registered) {
      const type = anEventType({ service, action, schema_version, redaction });
      expect((await registerType(api, owner, type)).status).toBe(200);
    }
  });
  afterAll(() => api.close());

  const contractsOf = async (who: Organisation, body: object): Promise<Record<string, unknown>[]> =>
    (await everyItem(api, PATH, who, body, 'contracts')).all;

  it.each([1, 2, 256])('lists one contract per service, by name, each once, over pages of %i', async (limit) => {
    const contracts = await contractsOf(owner, { limit });
    expect(contracts.map(({ service }) => service)).toEqual(['aaa', 'ics', 'ipm', 'pcm', 'scm', 'zzz']);
    for (const contract of contracts) assertContractSchema('ExportContract', contract);
  });

  it('names exactly the actions and the redaction of the catalog', async () => {
    const contracts = await contractsOf(owner, { limit: 256 });
    const { all } = await everyItem(api, '/event/catalog/list', owner, { limit: 256 });
    const entries = all as { service: string; action: string; redaction: object }[];
    for (const { service, actions, redaction } of contracts) {
      const ofService = entries.filter((entry) => entry.service === service);
      expect([service, actions]).toEqual([service, ofService.map(({ action }) => action)]);
      const redacted = ofService.filter((entry) => Object.keys(entry.redaction).length > 0);
      expect([service, redaction]).toEqual([
        service,
        Object.fromEntries(redacted.map((entry) => [entry.action, entry.redaction])),
      ]);
    }
    const actions = contracts.flatMap((contract) => contract.actions as string[]);
    expect(actions).toHaveLength(api.app.get(BuiltinCatalog).newestTypes().length + 4);
  });

  it('shows the redaction of the newest version alone', async () => {
    const [contract] = await contractsOf(owner, { service: 'zzz' });
    expect(contract).toEqual({
      service: 'zzz',
      stream: 'events',
      format: 'ndjson',
      partitioning: ['orgcode', 'service'],
      actions: ['plain', 'two'],
      schema_url: 'https://ipm.example/ipm/schema/ipm/event_stored/1.0',
      schema_version: '1.0',
      redaction: { two: { note: 'hash' } },
    });
  });

  it('filters by service, literally, and shows nothing of another organisation', async () => {
    expect((await contractsOf(owner, { service: 'scm' })).map(({ service }) => service)).toEqual(['scm']);
    for (const service of ['%', '*', 'sc_', 'SCM']) expect(await contractsOf(owner, { service })).toEqual([]);
    const other = await contractsOf(await api.anOwner(), { limit: 256 });
    expect(other.map(({ service }) => service)).toEqual(['ics', 'ipm', 'pcm', 'scm']);
    expect(JSON.stringify(other)).not.toContain('own.thing');
  });

  it('refuses a token that was made for another service', async () => {
    const { body } = await api.call(PATH, { limit: 1 }, owner);
    const { next_token } = body.data as { next_token: object };
    const { status, body: refused } = await api.call(PATH, { limit: 1, service: 'scm', next_token }, owner);
    expect([status, refused.error?.error_code]).toEqual([400, 'next_token_invalid']);
  });
});

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TestApi } from '../support/api.js';
import { ipmOn, type Ran } from './ipm.js';

jest.setTimeout(60_000);

const ORDER_PLACED = `
service: shop
action: order.placed
schema_version: '1.0'
description: A shop took an order.
validation: enforce
schema: { type: object, required: [total_minor], properties: { total_minor: { type: integer }, mail: { type: string } } }
redaction: { mail: mask }
facts: { numerics: [total_minor] }
specimen: { event_id: e-1, payload: { total_minor: 5, total_minor_calc_id: c-1, referenced_calc_ids: [c-1] } }
`;

describe('ipm catalog apply', () => {
  let api: TestApi;
  let ipm: (...args: string[]) => Promise<Ran>;
  const folder = mkdtempSync(path.join(tmpdir(), 'ipm-catalog-'));

  beforeAll(async () => {
    api = await TestApi.start();
    ipm = ipmOn(api.database.url);
  });
  afterAll(() => api.close());

  const apply = (orgcode: string, yaml: string, ...args: string[]): Promise<Ran> => {
    const file = path.join(folder, 'types.yaml');
    writeFileSync(file, yaml);
    return ipm('catalog', 'apply', file, '--org', orgcode, ...args);
  };
  const results = ({ document }: Ran): string[] =>
    document.types.map(({ result, error_code }: Record<string, string>) =>
      [result, error_code].filter(Boolean).join(' '),
    );
  const refusals = (orgcode: string): Promise<unknown[]> =>
    api.database.asOwner(`select 1 from audit_event where orgcode = $1 and outcome = 'refused'`, [orgcode]);

  it('registers a type that the API then lists, and leaves it alone when applied again', async () => {
    const { orgcode, key } = await api.anOwner();
    const first = await apply(orgcode, ORDER_PLACED, '--json');
    expect(first).toMatchObject({ exitCode: 0, stderr: '' });
    expect(results(first)).toEqual(['registered']);
    const listed = await api.call('/event/catalog/list', { service: 'shop' }, { orgcode, key });
    expect(listed.body.data.items).toMatchObject([
      { action: 'order.placed', validation: 'enforce', redaction: { mail: 'mask' } },
    ]);
    const again = await apply(orgcode, ORDER_PLACED, '--json');
    expect(again.exitCode).toBe(0);
    expect(results(again)).toEqual(['unchanged']);
    expect(await refusals(orgcode)).toEqual([]);
  });

  it('takes several documents and lists, and says of each what became of it', async () => {
    const orgcode = await api.anOrg();
    const applied = await apply(
      orgcode,
      `${ORDER_PLACED}
---
- { service: shop, action: order.lost, schema_version: '1.0', schema: { type: object } }
- { service: ipm, action: own.thing, schema_version: '1.0', schema: { type: object } }
- { service: shop, action: order.typo, schema_version: '1.0', schema: { type: object }, redacton: {} }
- { service: shop, action: order.number, schema_version: 1.0, schema: { type: object } }
- { service: shop, action: order.regexp, schema_version: '1.0', schema: { type: object, $id: elsewhere } }
- { service: scm, action: purchase_order.created, schema_version: '1.1', validation: off, schema: { type: object } }
---
{ service: shop, action: order.found, schema_version: '1.0', schema: { type: object } }
`,
      '--json',
    );
    expect(applied.exitCode).toBe(1);
    expect(results(applied)).toEqual([
      'registered',
      'registered',
      'refused event_type_reserved',
      'refused request_invalid',
      'refused request_invalid',
      'refused event_type_invalid',
      'refused event_type_loosened',
      'registered',
    ]);
    expect(applied.document.types[3].fields).toEqual([{ path: 'event_type.redacton', tag: 'unknown' }]);
    expect(applied.document.types[6].fields).toEqual([{ path: 'validation', tag: 'weaker' }]);
  });

  it('refuses a version that is there and differs in any part', async () => {
    const orgcode = await api.anOrg();
    const changes: Record<string, [from: string, to: string]> = {
      description: ['took', 'accepted'],
      schema: ['type: integer', 'type: number'],
      redaction: ['mail: mask', 'mail: drop'],
      facts: ['numerics: [total_minor]', 'numerics: []'],
      specimen: ['e-1', 'e-2'],
      validation: ['enforce', 'warn'],
    };
    const named = (part: string): string => ORDER_PLACED.replace('order.placed', part);
    const parts = Object.keys(changes);
    await apply(orgcode, parts.map(named).join('---'));
    const changed = await apply(orgcode, parts.map((part) => named(part).replace(...changes[part]!)).join('---'));
    expect(changed.exitCode).toBe(1);
    for (const part of parts) {
      expect(changed.stdout).toContain(`shop.${part} 1.0: This version is registered and never changes`);
    }
    expect(await refusals(orgcode)).toHaveLength(parts.length);
  });

  it('knows a type that comes with the product', async () => {
    const file = path.join(__dirname, '../../catalog/events/scm/purchase_order.created.yaml');
    const applied = await ipm('catalog', 'apply', file, '--org', await api.anOrg(), '--json');
    expect(results(applied)).toEqual(['unchanged']);
  });

  it.each([
    ['{ a: [', 'is not YAML'],
    ['[1, 2]', 'is no event type, at place 1'],
    ['', 'holds no event type'],
    [
      `a: &a [x]\nb: &b [${'*a,'.repeat(20)}]\nc: &c [${'*b,'.repeat(20)}]\nd: [${'*c,'.repeat(20)}]`,
      'is not usable YAML',
    ],
  ])('does not take %j', async (yaml, sentence) => {
    const refused = await apply(await api.anOrg(), yaml);
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(refused.stderr).toContain(sentence);
  });

  it('does not know files and organisations that are not there', async () => {
    expect((await ipm('catalog', 'apply', '/nowhere.yaml', '--org', await api.anOrg())).exitCode).toBe(2);
    expect((await apply('nowhere', ORDER_PLACED)).exitCode).toBe(1);
  });
});

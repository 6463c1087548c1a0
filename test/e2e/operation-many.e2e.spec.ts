import { Prisma } from '../../src/generated/prisma/client.js';
import { OperationViewRepository, type RunFilters } from '../../src/operations/operation-view.repository.js';
import type { Db } from '../../src/platform/database/transaction.js';
import { TestApi } from '../support/api.js';
import { aRun, asOperator, askRuns, WITH_OPERATOR } from '../support/operation-runs.js';

describe('GET /api/admin/operations of many', () => {
  const MANY = 60_000;
  const SELDOM = 'seldom';
  let api: TestApi;
  let acme: string;
  let bolt: string;
  beforeAll(async () => {
    api = await TestApi.start({ ...WITH_OPERATOR, IPM_ROLE: 'api' });
    [acme, bolt] = [await api.anOrg(), await api.anOrg()];
    await api.database.asOwner(
      `insert into operation_run (orgcode, type, status, outcome, subject, initiator, completed_at)
       select case when n = 30 then $3 when n % 2 = 0 then $1 else $2 end, case when n = 10 then 'rare' else 'webhook_replay' end, 'completed',
         case when n = 20 then 'blocked' else 'succeeded' end, 'many/' || n, 'spec', clock_timestamp()
       from generate_series(1, ${MANY}) n`,
      [acme, bolt, SELDOM],
    );
    await api.database.asOwner('analyze operation_run');
  });
  afterAll(() => api.close());

  const pagesTo = async (query: string): Promise<{ pages: number; found: number; slowestMs: number }> => {
    let [pages, found, slowestMs] = [0, 0, 0];
    for (let next: string | undefined = query; next !== undefined;) {
      const beganMs = performance.now();
      const { body } = await askRuns(api, next, asOperator);
      slowestMs = Math.max(slowestMs, performance.now() - beganMs);
      pages += 1;
      found += body.data.length;
      next = body.meta.links.next?.replace('https://ipm.example/api/admin/operations', '');
    }
    return { pages, found, slowestMs };
  };

  it('finds the rare ones by their index, in one page', async () => {
    await aRun(api, { status: 'running', silentSeconds: 999 });
    await aRun(api, { outcome: 'failed', reconciled: true });
    for (const query of [
      '?type=rare',
      '?outcome=blocked',
      '?freshness_state=likely_stale',
      '?reconciled=true',
      '?outcome=pending',
      '?status=running',
    ])
      expect([query, await pagesTo(query)]).toEqual([query, expect.objectContaining({ pages: 1, found: 1 })]);
  });

  it('looks at a bounded number for a page, and finds all the same what hardly anything passes', async () => {
    const [org] = await api.database.asOwner<{ id: number }>(
      'select org_id as id from organisation where orgcode = $1',
      [acme],
    );
    const { pages, found, slowestMs } = await pagesTo(`?tenant_id=${org!.id}&type=rare`);
    expect({ pages, found }).toEqual({ pages: MANY / 2 / 2_000, found: 1 });
    expect(slowestMs).toBeLessThan(1_000);
  });

  /** How many rows each scan of the table has looked at, by the way it took. */
  const scansFor = async (filters: RunFilters, orgcode?: string): Promise<[way: string, rows: number][]> => {
    let statement = Prisma.empty;
    const db = {
      $queryRaw: (texts: TemplateStringsArray, ...values: unknown[]) => {
        statement = Prisma.sql(texts, ...values);
        return Promise.resolve([]);
      },
    } as unknown as Db;
    await new OperationViewRepository().page(db, orgcode, filters, undefined, 9);
    const [row] = await api.database.asOwner<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
      `explain (analyze, format json) ${statement.text}`,
      [...statement.values],
    );
    return scansIn(row!['QUERY PLAN'][0]!.Plan);
  };

  it.each<[what: string, filters: RunFilters, orgcode: string | undefined]>([
    ['nothing', {}, undefined],
    ['what has ended', { status: 'completed' }, undefined],
    ['a type', { type: 'webhook_replay' }, undefined],
    ['a type and an outcome that do not meet', { type: 'webhook_replay', outcome: 'failed' }, undefined],
    ['an outcome', { outcome: 'succeeded' }, undefined],
    ['an organisation', {}, SELDOM],
    ['what is open of an organisation', { status: 'queued' }, SELDOM],
    ['what is stale', { freshness: 'likely_stale' }, undefined],
    ['what was reconciled', { reconciled: true }, undefined],
    ['what was not', { reconciled: false, freshness: 'terminal_normal' }, undefined],
  ])('reads a stretch of an index when asked for %s', async (_what, filters, orgcode) => {
    const scans = await scansFor(filters, orgcode);
    expect(scans.length).toBeGreaterThan(0);
    for (const [way, rows] of scans) {
      expect(way).toMatch(/^Index/);
      expect(rows).toBeLessThan(2_100); // a few that it passes over where nearly all are of one kind
    }
  });
});

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Rows Removed by Filter'?: number;
  Plans?: PlanNode[];
}

function scansIn(node: PlanNode): [way: string, rows: number][] {
  const own: [string, number][] =
    node['Relation Name'] === 'operation_run'
      ? [[node['Node Type'], node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)]]
      : [];
  return [...own, ...(node.Plans ?? []).flatMap(scansIn)];
}

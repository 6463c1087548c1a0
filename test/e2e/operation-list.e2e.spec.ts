import { TestApi } from '../support/api.js';
import { aRun, asOperator, askRuns, WITH_OPERATOR, type RunsAnswer, type RunToBe } from '../support/operation-runs.js';

describe('GET /api/admin/operations', () => {
  let api: TestApi;
  let acme: { orgcode: string; key: string };
  let bolt: { orgcode: string; key: string };
  beforeAll(async () => {
    api = await TestApi.start({ ...WITH_OPERATOR, IPM_ROLE: 'api' }); // a worker would settle what is laid out here
    [acme, bolt] = [await api.anOwner(), await api.anOwner()];
  });
  afterAll(() => api.close());
  beforeEach(() => api.database.asOwner('delete from operation_run'));

  const ids = ({ body }: RunsAnswer): number[] => body.data.map(({ id }: { id: number }) => id);
  const tenantId = async (orgcode: string): Promise<number> => {
    const [row] = await api.database.asOwner<{ id: number }>(
      'select org_id as id from organisation where orgcode = $1',
      [orgcode],
    );
    return row!.id;
  };
  const laidOut = async (...runs: RunToBe[]): Promise<number[]> => {
    const made = [];
    for (const run of runs) made.push(await aRun(api, run));
    return made;
  };

  it("shows every organisation to operators, newest first, and what is nobody's", async () => {
    const made = await laidOut({ orgcode: acme.orgcode }, { orgcode: bolt.orgcode }, { type: 'event_retention' });
    const { body } = await askRuns(api, '', asOperator);
    expect(body.data).toEqual([
      expect.objectContaining({ id: made[2], type: 'event_retention', type_label: 'Retention of events' }),
      expect.objectContaining({ id: made[1], tenant_id: await tenantId(bolt.orgcode), initiator_name: 'spec' }),
      {
        id: made[0],
        type: 'webhook_replay',
        type_label: 'Replay to a webhook',
        status: 'completed',
        outcome: 'succeeded',
        freshness_state: 'terminal_normal',
        reconciled: false,
        tenant_id: await tenantId(acme.orgcode),
        initiator_name: 'spec',
        operator_message: 'It has ended.',
        created_at: expect.stringMatching(/Z$/),
        started_at: expect.stringMatching(/Z$/),
        completed_at: expect.stringMatching(/Z$/),
      },
    ]);
    expect(body.data[0]).not.toHaveProperty('tenant_id');
    expect(body.meta).toEqual({
      limit: 8,
      count: 3,
      has_more: false,
      links: { self: 'https://ipm.example/api/admin/operations', first: 'https://ipm.example/api/admin/operations' },
    });
  });

  describe('by a filter', () => {
    const runs: [name: string, run: RunToBe][] = [
      ['waits', { status: 'queued' }],
      ['waits too long', { status: 'queued', silentSeconds: 4_000 }],
      ['lives', { status: 'running', type: 'bulk_import', silentSeconds: 200 }],
      ['is silent', { status: 'running', silentSeconds: 200 }],
      ['failed', { outcome: 'failed' }],
      ['was settled', { outcome: 'failed', reconciled: true }],
      ['had ended', { outcome: 'succeeded', reconciled: true }],
      ['was blocked', { outcome: 'blocked', type: 'kpi_rollup' }],
      ['ended', { type: 'kpi_rollup' }],
    ];
    const names = new Map<number, string>();
    beforeEach(async () => {
      names.clear();
      for (const [name, run] of runs) names.set(await aRun(api, { orgcode: acme.orgcode, ...run }), name);
      names.set(await aRun(api, { orgcode: bolt.orgcode, outcome: 'partially_succeeded' }), 'is of another');
    });
    const found = async (query: string, as = asOperator): Promise<(string | undefined)[]> =>
      ids(await askRuns(api, `${query}${query ? '&' : '?'}limit=50`, as))
        .reverse()
        .map((id) => names.get(id));

    it.each<[query: string, expected: string[]]>([
      ['?status=queued', ['waits', 'waits too long']],
      ['?status=running', ['lives', 'is silent']],
      ['?status=completed', ['failed', 'was settled', 'had ended', 'was blocked', 'ended', 'is of another']],
      ['?outcome=pending', ['waits', 'waits too long', 'lives', 'is silent']],
      ['?outcome=succeeded', ['had ended', 'ended']],
      ['?outcome=partially_succeeded', ['is of another']],
      ['?outcome=blocked', ['was blocked']],
      ['?outcome=failed', ['failed', 'was settled']],
      ['?type=kpi_rollup', ['was blocked', 'ended']],
      ['?type=nothing', []],
      ['?freshness_state=fresh_active', ['waits', 'lives']],
      ['?freshness_state=likely_stale', ['waits too long', 'is silent']],
      ['?freshness_state=reconciled_failed', ['was settled']],
      ['?freshness_state=terminal_normal', ['failed', 'had ended', 'was blocked', 'ended', 'is of another']],
      ['?reconciled=true', ['was settled', 'had ended']],
      ['?reconciled=false&status=completed', ['failed', 'was blocked', 'ended', 'is of another']],
      ['?tenant_id=999999999999', []],
      ['?tenant_id=-1', []],
      ['?type=kpi_rollup&outcome=blocked', ['was blocked']],
      ['?status=completed&freshness_state=likely_stale', []],
      ['?type=webhook_replay&freshness_state=likely_stale&status=running', ['is silent']],
    ])('%s', async (query, expected) => {
      expect(await found(query)).toEqual(expected);
    });

    it('tenant_id, for operators and for who answers for one', async () => {
      const [ours, theirs] = [await tenantId(acme.orgcode), await tenantId(bolt.orgcode)];
      const owner = { headers: { 'x-api-key': acme.key } };
      expect(await found(`?tenant_id=${theirs}`)).toEqual(['is of another']);
      expect(await found(`?tenant_id=${ours}&outcome=failed`)).toEqual(['failed', 'was settled']);
      expect(await found(`?tenant_id=${ours}`, owner)).toEqual(runs.map(([name]) => name));
      expect(await found(`?tenant_id=${theirs}`, owner)).toEqual([]);
      expect(await found('?freshness_state=likely_stale', owner)).toEqual(['waits too long', 'is silent']);
    });

    it('that is none is refused, with the field', async () => {
      const bad = [
        'status=done',
        'outcome=lost',
        'tenant_id=acme',
        'freshness_state=stale',
        'reconciled=1',
        'limit=ten',
        'type=',
        'status=queued&status=running',
      ];
      for (const query of bad) {
        const { status, body } = await askRuns(api, `?${query}`, asOperator);
        const fields = body.details.fields?.map(({ path }: { path: string }) => path);
        expect([query, status, body.code, fields]).toEqual([query, 400, 'request_invalid', [query.split('=')[0]]]);
      }
      expect((await askRuns(api, '?nobody=knows', asOperator)).status).toBe(200);
    });
  });

  it('says of each in a sentence how it stands', async () => {
    await laidOut(
      { status: 'queued' },
      { status: 'queued', silentSeconds: 4_000 },
      { status: 'running' },
      { status: 'running', silentSeconds: 200 },
    );
    const { body } = await askRuns(api, '', asOperator);
    expect(body.data.map((run: { operator_message: string }) => run.operator_message).reverse()).toEqual([
      'It waits for its turn.',
      'It waits for longer than it should: workers are busy, or away.',
      'A worker is at it.',
      'Its worker is silent for too long; another goes on with it, or it is ended.',
    ]);
  });

  it('counts silence by the clock of the database', async () => {
    await laidOut({ status: 'running', silentSeconds: 60 }, { status: 'running', silentSeconds: 200 });
    const wrong = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000);
    try {
      const { body } = await askRuns(api, '', asOperator);
      const states = body.data.map((run: { freshness_state: string }) => run.freshness_state);
      expect(states).toEqual(['likely_stale', 'fresh_active']);
    } finally {
      wrong.mockRestore();
    }
  });

  describe('page by page', () => {
    const walk = async (
      query: string,
      between: () => Promise<unknown> = async () => undefined,
    ): Promise<number[][]> => {
      const pages: number[][] = [];
      for (let next: string | undefined = query; next !== undefined;) {
        const { body } = await askRuns(api, next, asOperator);
        pages.push(ids({ body } as RunsAnswer));
        expect(body.meta.has_more).toBe(body.meta.links.next !== undefined);
        if (body.meta.links.next) expect(body.meta.links.next).toContain(encodeURIComponent(body.meta.next_cursor));
        next = body.meta.links.next?.replace('https://ipm.example/api/admin/operations', '');
        await between();
      }
      return pages;
    };

    it('shows each once, also while others begin', async () => {
      const made = await laidOut(...Array.from({ length: 23 }, () => ({ orgcode: acme.orgcode })));
      const pages = await walk('?limit=5&type=webhook_replay', () => aRun(api, { orgcode: bolt.orgcode }));
      expect(pages.map((page) => page.length)).toEqual([5, 5, 5, 5, 3]);
      expect(pages.flat()).toEqual([...made].reverse());
    });

    it('ends where the last page is just full', async () => {
      await laidOut({}, {}, {}, {});
      expect((await walk('?limit=2')).map((page) => page.length)).toEqual([2, 2]);
    });

    it('keeps limit within its bounds', async () => {
      await laidOut({}, {});
      for (const [asked, limit] of [
        ['0', 1],
        ['-3', 1],
        ['1000', 256],
        ['2', 2],
      ] as const)
        expect((await askRuns(api, `?limit=${asked}`, asOperator)).body.meta.limit).toBe(limit);
    });

    it('takes a cursor for the same filters and the same caller alone', async () => {
      await laidOut({ orgcode: acme.orgcode }, { orgcode: acme.orgcode }, { orgcode: acme.orgcode });
      const { body } = await askRuns(api, '?limit=1', asOperator);
      const cursor = encodeURIComponent(body.meta.next_cursor);
      const statusOf = async (query: string, as = asOperator): Promise<number> =>
        (await askRuns(api, query, as)).status;
      expect(await statusOf(`?limit=2&cursor=${cursor}`)).toBe(200);
      expect(await statusOf(`?outcome=failed&cursor=${cursor}`)).toBe(400);
      expect(await statusOf(`?cursor=${cursor}`, { headers: { 'x-api-key': acme.key } })).toBe(400);
      expect(await statusOf('?cursor=WzFd.AAAA')).toBe(400);
    });
  });

  describe('shown to members of an organisation', () => {
    it('who are its admins or owners: theirs alone', async () => {
      const [ours] = await laidOut({ orgcode: acme.orgcode }, { orgcode: bolt.orgcode }, { type: 'event_retention' });
      for (const role of ['integration_admin', 'owner'] as const) {
        const key = await api.aKey(acme.orgcode, role);
        expect(ids(await askRuns(api, '', { headers: { 'x-api-key': key } }))).toEqual([ours]);
        const named = { 'x-api-key': key, 'x-orgcode': acme.orgcode };
        expect(ids(await askRuns(api, '', { headers: named }))).toEqual([ours]);
      }
    });

    it('and to nobody else: 404, as to a stranger', async () => {
      for (const role of ['integration_view', 'integration_service', 'auditor'] as const) {
        const key = await api.aKey(acme.orgcode, role);
        const { status, body } = await askRuns(api, '', { headers: { 'x-api-key': key } });
        const stranger = await askRuns(api, '', { headers: { 'x-api-key': 'of-nobody' } });
        expect([role, status]).toEqual([role, 404]);
        expect({ ...body, request_id: '' }).toEqual({ ...stranger.body, request_id: '' });
      }
      const elsewhere = { 'x-api-key': acme.key, 'x-orgcode': bolt.orgcode };
      expect((await askRuns(api, '', { headers: elsewhere })).status).toBe(404);
    });

    it('by a session too', async () => {
      const [ours] = await laidOut({ orgcode: acme.orgcode });
      const grounds = {
        request_context: { orgcode: acme.orgcode, actor: 'spec', context_source: 'api_key' },
        reason: 'a spec asks for it',
        source_refs: [],
      };
      const opened = await api.call(
        '/access/session/open',
        { ...grounds, actor: 'admin', roles: ['integration_admin'] },
        acme,
      );
      const answer = await askRuns(api, '', { headers: { 'x-session-guid': opened.body.data.session_guid } });
      expect(ids(answer)).toEqual([ours]);
    });
  });
});

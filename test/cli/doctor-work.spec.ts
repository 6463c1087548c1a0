import { workFindings } from '../../src/cli/doctor-work.js';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { ipmOn } from './ipm.js';

jest.setTimeout(60_000);

const CALM = {
  deliveries: { due: 0, oldestSeconds: 0, leases: 0, dead: 3, behind: 0, lagSeconds: 0 },
  runs: { fresh_active: 1, likely_stale: 0 },
  log: { drawn: 10, count: 3, ahead: 2 },
};

describe('what the doctor says of the work', () => {
  it('is content where everything moves', () => {
    expect(workFindings(CALM).map(({ check, verdict, message }) => [check, verdict, message])).toEqual([
      ['routing', 'ok', 'all events are routed'],
      ['deliveries', 'ok', '0 are due; 3 dead letters are kept'],
      ['operation runs', 'ok', '1 at work'],
      ['event log', 'ok', '3 partitions, 2 of them ahead'],
    ]);
  });

  it.each([
    ['routing', { deliveries: { ...CALM.deliveries, behind: 2, lagSeconds: 7_000 } }, '117 min'],
    ['deliveries', { deliveries: { ...CALM.deliveries, due: 9, oldestSeconds: 61 } }, '61 s'],
    ['operation runs', { runs: { fresh_active: 0, likely_stale: 1 } }, '1 are silent'],
    ['event log', { log: { drawn: 10, count: 1, ahead: 0 } }, 'no partition'],
  ])('tells what is stuck in %s, and what to do', (check, standing, message) => {
    const wrong = workFindings({ ...CALM, ...standing }).filter(({ verdict }) => verdict !== 'ok');
    expect(wrong).toEqual([
      {
        check,
        verdict: 'warning',
        message: expect.stringContaining(message) as string,
        next: expect.stringContaining('docs/operations.md') as string,
      },
    ]);
  });

  describe('on a database', () => {
    let database: TestDatabase;
    beforeAll(async () => {
      database = await testDatabase();
      await database.asOwner(`
        insert into operation_run (type, subject, initiator, status, started_at, heartbeat_at)
        values ('kpi_rollup', 'left', 'spec', 'running', now() - interval '1 hour', now() - interval '1 hour')`);
    });
    afterAll(() => database.drop());

    it('finds a run whose worker is silent', async () => {
      const { document } = await ipmOn(database.url)('doctor', '--json');
      const checks = document.checks as { check: string; verdict: string; message: string }[];
      expect(checks).toContainEqual(
        expect.objectContaining({
          check: 'operation runs',
          verdict: 'warning',
          message: '1 are silent or wait too long',
        }),
      );
    });
  });
});

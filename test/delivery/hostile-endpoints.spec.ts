import { HOSTILE_ENDPOINTS } from '../faults/support/hostile-endpoints.js';
import { hostileTrial, TIMEOUT_MS, type HostileReport } from '../faults/support/hostile-trial.js';

jest.setTimeout(60_000);

/** F10: all at once, against one worker. */
describe('an endpoint that', () => {
  let report: HostileReport;
  beforeAll(async () => (report = await hostileTrial(2)));

  it.each(HOSTILE_ENDPOINTS.map((endpoint) => [endpoint.what, endpoint] as const))('%s', (what, endpoint) => {
    const outcomes = report.outcomes.filter((outcome) => outcome.what === what);
    expect(outcomes).toHaveLength(2);
    for (const { comesTo, attempts, slowestMs, excerpt } of outcomes) {
      expect(endpoint.comesTo).toContain(comesTo);
      expect(slowestMs).toBeLessThan(TIMEOUT_MS + 1_000);
      expect(attempts).toBeLessThanOrEqual(endpoint.attempts ?? 1);
      expect(excerpt ?? '').not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
      expect(Buffer.byteLength(excerpt ?? '')).toBeLessThanOrEqual(2_048);
      if (endpoint.excerpt) expect(excerpt).toMatch(endpoint.excerpt);
    }
  });

  it('is hostile leaves the worker alive and small, reaches no forbidden address and gets no cookie back', () => {
    expect(report).toMatchObject({ isAlive: true, forbidden: 0, cookies: 0 });
    expect(report.grownMb).toBeLessThan(60);
  });
});

describe('a worker that is not careful', () => {
  it('(sabotaged: every address is allowed) reaches the forbidden one', async () => {
    expect((await hostileTrial(2, 'trusts-addresses')).forbidden).toBeGreaterThan(0);
  });

  it('(sabotaged: calls have all the time) does not come to an end with those that never answer', async () => {
    await expect(hostileTrial(1, 'has-all-the-time')).rejects.toThrow('it did not come to hold');
  });
});

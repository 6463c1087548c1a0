import { readFileSync } from 'node:fs';
import { sourceFiles } from '../support/source-files.js';

/** Everything that looks over the tenant wall, and why. A new line here is a decision: say in its review what makes it safe. */
const CROSSINGS: Record<string, string[]> = {
  'src/access/api-key-usage.ts': ['key last used'],
  'src/access/bootstrap.service.ts': ['credential lookup'],
  'src/access/credential-verifier.ts': ['credential lookup', 'organisation lookup'],
  'src/access/organisation.service.ts': ['organisation list'],
  'src/audit/audit-verification.service.ts': ['audit verification'],
  'src/bulk/bulk-upkeep.service.ts': ['bulk work'],
  'src/bulk/bulk-work.repository.ts': ['bulk work'],
  'src/bulk/late-reports.service.ts': ['bulk work'],
  'src/cdc/arrival-watch.service.ts': ['event arrivals'],
  'src/cdc/event-partitions.service.ts': ['event log upkeep'],
  'src/cdc/event-retention.service.ts': ['retention'],
  'src/cdc/event-router.service.ts': ['event routing'],
  'src/cdc/event-router.sweep.ts': ['event routing'],
  'src/cdc/event-zones.service.ts': ['event log upkeep'],
  'src/cdc/log-layout.service.ts': ['event log layout'],
  'src/delivery/catch-up-routing.service.ts': ['delivery'],
  'src/delivery/catch-up.repository.ts': ['delivery'],
  'src/delivery/delivery.repository.ts': ['delivery'],
  'src/delivery/lane-health.repository.ts': ['delivery'],
  'src/delivery/queue-state.repository.ts': ['delivery'],
  'src/delivery/replay.repository.ts': ['delivery'],
  'src/delivery/settlement.repository.ts': ['delivery'],
  'src/kpi/inbox-deliveries.service.ts': ['inbox delivery'],
  'src/kpi/kpi-meters.service.ts': ['inbox delivery'],
  'src/kpi/kpi-rollup.sweep.ts': ['kpi rollup'],
  'src/kpi/missing-buckets.sweep.ts': ['kpi rules'],
  'src/kpi/own-kpis.sweep.ts': ['own kpis'],
  'src/operations/operation-reconciler.service.ts': ['operation run'],
  'src/operations/operation-runs.service.ts': ['operation run'],
  'src/operations/operation-view.service.ts': ['operator view'],
  'src/operator/bulk-act-orders.service.ts': ['dead letters'],
  'src/operator/bulk-act-runs.service.ts': ['dead letters'],
  'src/operator/dead-letter-acts.service.ts': ['dead letters'],
  'src/operator/dead-letter-reading.service.ts': ['dead letters'],
  'src/platform/database/database-life.ts': ['database life'],
  'src/platform/schedule/sweeps.ts': ['housekeeping'],
  'src/webhook/webhook-backlog-retention.service.ts': ['retention'],
  'src/webhook/webhook-reencryption.service.ts': ['secret reencryption'],
  'src/webhook/webhook-targets.service.ts': ['webhook targets'],
};

/** Where work is done as ipm_system without saying so in a call of its own: through `Sweeps`. */
const SWEEPS = [
  'src/access/session.sweep.ts',
  'src/cdc/event-log.sweep.ts',
  'src/delivery/delivery-retention.sweep.ts',
  'src/operations/operation-retention.sweep.ts',
  'src/platform/idempotency/idempotency.sweep.ts',
];

describe('work across organisations', () => {
  const source = (file: string): string => readFileSync(file, 'utf8');
  const others = sourceFiles().filter((file) => file !== 'src/platform/database/database.ts');
  const reasonsIn = (file: string): string[] =>
    [
      ...source(file).matchAll(
        /\b(?:acrossOrganisations|plainAcross|plainAcrossInTwoTrips|callAcross)(?:<[^(]*>)?\(\s*'([^']+)'/g,
      ),
    ].map(([, reason]) => reason!);

  it('gives its reason as a literal in each call', () => {
    for (const file of others) {
      const mentions = [
        ...source(file).matchAll(/\.(?:acrossOrganisations|plainAcross|plainAcrossInTwoTrips|callAcross)[<(]/g),
      ].length;
      expect({ file, reasons: reasonsIn(file).length }).toEqual({ file, reasons: mentions });
    }
  });

  it('happens in these files and for these reasons only', () => {
    const found = others
      .map((file) => [file, [...new Set(reasonsIn(file))].sort()] as const)
      .filter(([, reasons]) => reasons.length > 0);
    expect(Object.fromEntries(found)).toEqual(CROSSINGS);
  });

  it('uses every reason that SystemWork names, and no other', () => {
    const [, union = ''] =
      /export type SystemWork =([^;]+);/.exec(source('src/platform/database/transaction.ts')) ?? [];
    const named = [...union.matchAll(/'([^']+)'/g)].map(([, reason]) => reason);
    expect(named.sort()).toEqual([...new Set(others.flatMap(reasonsIn))].sort());
  });

  it('is swept in these files only', () => {
    const sweeping = others.filter((file) => /\bsweeps\.alone\(/.test(source(file)));
    expect(sweeping).toEqual(SWEEPS);
  });

  it('opens no connection beside Database, where it would be no role of ours', () => {
    const opening = others.filter(
      (file) => /^import pg from 'pg'/m.test(source(file)) || /\bnew PrismaClient\(/.test(source(file)),
    );
    const serving = opening.filter((file) => !/^src\/(local|cli)\//.test(file));
    expect(serving).toEqual(['src/platform/database/connection-pool.ts', 'src/platform/database/migrate.ts']);
  });
});

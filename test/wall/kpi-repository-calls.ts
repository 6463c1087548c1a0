import { InboxDeliveryRepository } from '../../src/kpi/inbox-delivery.repository.js';
import { KpiAlertRepository, type NewAlert } from '../../src/kpi/kpi-alert.repository.js';
import { KpiHistoryRepository } from '../../src/kpi/kpi-history.repository.js';
import { KpiRollupRepository, type NewRollup, type RollupRecord } from '../../src/kpi/kpi-rollup.repository.js';
import { KpiRuleRepository, type NewRule } from '../../src/kpi/kpi-rule.repository.js';
import type { SeriesKey } from '../../src/kpi/kpi-series.js';
import { identityHex, KpiSeriesRepository } from '../../src/kpi/kpi-series.repository.js';
import { KpiSnapshotRepository, type SnapshotValues } from '../../src/kpi/kpi-snapshot.repository.js';
import { OwnKpiProgressRepository } from '../../src/kpi/own-kpi-progress.repository.js';
import type { TestDatabase } from '../support/database.js';
import type { CallScene, CallsOf, RepositoryUnderTest } from './repository-calls.js';
import type { Inhabitant } from './two-organisations.js';

const FIRST_DAY = new Date('2025-01-01T00:00:00Z');
const SECOND_DAY = new Date('2025-01-02T00:00:00Z');
const FAR_DAY = new Date('2030-01-01T00:00:00Z');

const keyOf = ({ kpiCode }: Pick<Inhabitant, 'kpiCode'>): SeriesKey => ({
  kpiCode,
  bucket: 'daily',
  scope: 'org',
  logicalGuid: undefined,
  channelCode: undefined,
  dimensions: {},
});
const newKey = keyOf({ kpiCode: 'a new one' });
const valuesOf = ({ series }: Inhabitant, bucketStart: Date, kpiId: string): SnapshotValues => ({
  series,
  family: 1n,
  bucketStart,
  bucketEnd: new Date('2031-01-01T00:00:00Z'),
  kpiId,
  value: 7,
  valueUnit: undefined,
  sampleCount: undefined,
  computedAt: undefined,
  policyRefs: undefined,
});

const seriesCalls: CallsOf<KpiSeriesRepository> = {
  lock: { run: (series, { db, of }) => series.lock(db, of.orgcode, [identityHex(keyOf(of))]) },
  hold: {
    run: (series, { db, of }) => series.hold(db, of.orgcode, of.series),
    // a row lock leaves its transaction in xmax
    shows: ({ db, of }) =>
      db.$queryRaw`select 1 from kpi_series where series = ${of.series} and xmax::text = pg_current_xact_id()::text`,
  },
  count: { run: (series, { db, of }) => series.count(db, of.orgcode, keyOf(of)) },
  insert: {
    run: (series, { db, of }) => series.insert(db, of.orgcode, [newKey]),
    shows: ({ db, of }) => db.kpiSeries.count({ where: { orgcode: of.orgcode, kpiCode: newKey.kpiCode } }),
  },
};

const snapshotCalls: CallsOf<KpiSnapshotRepository> = {
  present: {
    run: (snapshots, { db, of }) =>
      snapshots.present(db, of.orgcode, [{ series: of.series, bucketStart: FIRST_DAY }], [of.kpiId]),
  },
  neighbours: {
    run: (snapshots, { db, of }) =>
      snapshots.neighbours(db, of.orgcode, [{ series: of.series, bucketStart: FIRST_DAY, bucketEnd: SECOND_DAY }]),
  },
  insert: { run: (snapshots, { db, of }) => snapshots.insert(db, of.orgcode, [valuesOf(of, FAR_DAY, 'new')]) },
  revise: { run: (snapshots, { db, of }) => snapshots.revise(db, of.orgcode, [valuesOf(of, FIRST_DAY, of.kpiId)]) },
  page: {
    run: (snapshots, { of }) =>
      snapshots.page(of.orgcode, { ...keyOf(of), period: { start: FIRST_DAY, end: FAR_DAY } }, undefined, 10),
  },
};

const newAlert: NewAlert = {
  alertId: 'new',
  kpiCode: 'c',
  measure: 'value',
  value: 7,
  comparator: 'gt',
  threshold: 1,
  scope: 'org',
  logicalGuid: undefined,
  channelCode: undefined,
  bucket: 'daily',
  bucketStart: FIRST_DAY,
  bucketEnd: SECOND_DAY,
  dimensions: {},
  title: undefined,
  deliveryStatus: 'not_requested',
  reason: 'r',
};

const alertCalls: CallsOf<KpiAlertRepository> = {
  insert: { run: (alerts, { db, of }) => alerts.insert(db, of.orgcode, [newAlert]) },
  find: { run: (alerts, { db, of }) => alerts.find(db, of.orgcode, of.alertId) },
  open: { run: (alerts, { db, of }) => alerts.open(db, of.orgcode, [of.series]) },
  clear: {
    run: (alerts, { db, of }) => alerts.clear(db, of.orgcode, [of.alertId]),
    shows: ({ db, of }) => db.kpiAlert.count({ where: { orgcode: of.orgcode, clearedAt: { not: null } } }),
  },
  page: {
    run: (alerts, { of }) => alerts.page(of.orgcode, { kpiCode: undefined, ruleId: undefined }, undefined, 10),
  },
};

const newRule: NewRule = {
  ruleId: 'new',
  kpiCode: 'c',
  bucket: 'daily',
  scope: undefined,
  logicalGuid: undefined,
  channelCode: undefined,
  dimensions: {},
  measure: 'value',
  comparator: 'gt',
  threshold: 1,
  title: undefined,
  requestContext: {},
  reason: 'r',
  sourceRefs: [],
};
const paused = ({ db, of }: CallScene): Promise<unknown> =>
  db.kpiRule.count({ where: { orgcode: of.orgcode, ruleId: of.ruleId, status: 'paused' } });

const ruleCalls: CallsOf<KpiRuleRepository> = {
  count: { run: (rules, { db, of }) => rules.count(db, of.orgcode) },
  insert: { run: (rules, { db, of }) => rules.insert(db, of.orgcode, newRule) },
  find: { run: (rules, { db, of }) => rules.find(db, of.orgcode, of.ruleId) },
  findForUpdate: { run: (rules, { db, of }) => rules.findForUpdate(db, of.orgcode, of.ruleId) },
  setStatus: { run: (rules, { db, of }) => rules.setStatus(db, of.orgcode, of.ruleId, 'paused'), shows: paused },
  delete: {
    run: (rules, { db, of }) => rules.delete(db, of.orgcode, of.ruleId),
    shows: ({ db, of }) =>
      db.$queryRaw`select 1 where not exists (select from kpi_rule where orgcode = ${of.orgcode} and rule_id = ${of.ruleId})`,
  },
  activeOf: { run: (rules, { of }) => rules.activeOf(of.orgcode, of.kpiCode) },
  active: { run: (rules, { db, of }) => rules.active(db, of.orgcode, [of.kpiCode]) },
  waiting: {
    system: true,
    run: (rules, { db }) => rules.waiting(db, 0n, 10),
  },
  page: { run: (rules, { of }) => rules.page(of.orgcode, undefined, undefined, 10) },
};

const anyOf = ({ kpiCode }: Inhabitant): Parameters<KpiHistoryRepository['series']>[1] => ({
  kpiCode,
  bucket: 'daily',
  scope: null,
  logicalGuid: null,
  channelCode: null,
  dimensions: {},
});
const YEAR = { start: FIRST_DAY, end: FAR_DAY };

const historyCalls: CallsOf<KpiHistoryRepository> = {
  series: { run: (history, { of }) => history.series(of.orgcode, anyOf(of), 0n, 10) },
  figures: { run: (history, { of }) => history.figures(of.orgcode, of.series, YEAR) },
  firstFrom: { run: (history, { of }) => history.firstFrom(of.orgcode, of.series, YEAR) },
  lastOfEach: { run: (history, { of }) => history.lastOfEach(of.orgcode, { ...anyOf(of), ruleNo: 0n }, 0n, 10) },
  last: { run: (history, { db, of }) => history.last(db, of.orgcode, of.series) },
};

const newRollup: NewRollup = {
  rollupId: 'new',
  kpiCode: 'c',
  intoKpiCode: 'c',
  scope: 'org',
  logicalGuid: undefined,
  channelCode: undefined,
  dimensions: {},
  fromBucket: 'daily',
  toBucket: 'monthly',
  aggregate: 'sum',
  fromUtc: FIRST_DAY,
  toUtc: FAR_DAY,
  reason: 'r',
};
const atStart = ({ orgcode }: Inhabitant): RollupRecord =>
  ({ orgcode, rollupId: 'new', series: 0n, doneTo: null }) as RollupRecord;
const step = { series: 1n, doneTo: null, recorded: 7, revised: 0, unchanged: 0, leftOut: 0 };
const rollupShown =
  (where: object) =>
  ({ db, of }: CallScene): Promise<unknown> =>
    db.kpiRollup.count({ where: { orgcode: of.orgcode, ...where } });

const rollupCalls: CallsOf<KpiRollupRepository> = {
  countOpen: {
    run: async (rollups, { db, of }) => {
      await rollups.insert(db, of.orgcode, newRollup);
      return rollups.countOpen(db, of.orgcode);
    },
  },
  insert: { run: (rollups, { db, of }) => rollups.insert(db, of.orgcode, newRollup) },
  noteRun: { run: (rollups, { db, of }) => rollups.noteRun(db, of.orgcode, of.rollupId, 7) },
  find: { run: (rollups, { db, of }) => rollups.find(db, of.orgcode, of.rollupId) },
  open: {
    system: true,
    run: (rollups, { db }) => rollups.open(db, 10),
  },
  advance: {
    run: async (rollups, { db, of }) => {
      await rollups.insert(db, of.orgcode, newRollup);
      return rollups.advance(db, atStart(of), step, 1);
    },
  },
  complete: {
    run: (rollups, { db, of }) => rollups.complete(db, of.orgcode, of.rollupId, 77),
    shows: rollupShown({ operationRunId: 77 }),
  },
};

const DONE = { doneTo: FAR_DAY, position: 77n };
const progressCalls: CallsOf<OwnKpiProgressRepository> = {
  due: { system: true, run: (progress, { db }) => progress.due(db, '', -4_000_000_000, 10) },
  take: { run: (progress, { db, of }) => progress.take(db, of.orgcode, 'hourly') },
  begin: {
    run: (progress, { db, of }) => progress.begin(db, of.orgcode, 'hourly', DONE),
    // there is one already, and it stays as it is
    shows: ({ db, of }) => db.kpiOwnProgress.count({ where: { orgcode: of.orgcode, position: 1n } }),
  },
  move: {
    run: (progress, { db, of }) => progress.move(db, of.orgcode, 'hourly', DONE),
    shows: ({ db, of }) => db.kpiOwnProgress.count({ where: { orgcode: of.orgcode, position: 77n } }),
  },
};

const due = { inboxService: 'scm', atMost: 10, ofOne: 10, passOver: [], leaseSeconds: 60 };
const failed = { deliveryStatus: 'failed', dueAt: null, deliveryError: {}, inboxNotificationId: undefined } as const;

const inboxCalls: CallsOf<InboxDeliveryRepository> = {
  claim: {
    system: true,
    run: async (inbox, { db, of }) => {
      await db.$executeRaw`update kpi_alert set due_at = 'epoch' where orgcode = ${of.orgcode} and delivery_status = 'pending'`;
      return inbox.claim(db, due);
    },
  },
  standing: { system: true, sums: true, run: async (inbox, { db }) => (await inbox.standing(db)).pending },
  settle: { run: (inbox, { db, of }) => inbox.settle(db, { ...of, fence: 0n }, failed) },
};

/** Ordered, where no worker takes it up. */
export async function layOutRollup(database: TestDatabase, orgcode: string): Promise<void> {
  await database.asOwner(
    `insert into kpi_rollup (orgcode, rollup_id, kpi_code, into_kpi_code, scope, from_bucket, to_bucket, aggregate, from_utc, to_utc, reason)
     values ($1, 'laid out', 'c', 'c', 'org', 'daily', 'monthly', 'sum', '2025-01-01', '2026-01-01', 'r')`,
    [orgcode],
  );
}

/** Figures, rules and alerts. */
export const kpiRepositories: Record<string, RepositoryUnderTest> = {
  KpiSeriesRepository: { make: () => new KpiSeriesRepository(), calls: seriesCalls },
  KpiSnapshotRepository: { make: (database) => new KpiSnapshotRepository(database), calls: snapshotCalls },
  KpiAlertRepository: { make: (database) => new KpiAlertRepository(database), calls: alertCalls },
  InboxDeliveryRepository: { make: () => new InboxDeliveryRepository(), calls: inboxCalls },
  KpiHistoryRepository: { make: (database) => new KpiHistoryRepository(database), calls: historyCalls },
  KpiRollupRepository: { make: () => new KpiRollupRepository(), calls: rollupCalls },
  OwnKpiProgressRepository: { make: () => new OwnKpiProgressRepository(), calls: progressCalls },
  KpiRuleRepository: { make: (database) => new KpiRuleRepository(database), calls: ruleCalls },
};

import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/transaction.js';
import type { ExpectedFailure } from '../platform/errors/error-catalog.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import type { OwnEvent } from '../cdc/own-events.service.js';
import type { KpiSnapshot } from './kpi.dto.js';
import { kpiErrors } from './kpi.errors.js';
import type { KpiFigure } from './kpi-figure.js';
import { snapshotToWire } from './kpi.mapper.js';
import { KpiRuleEvaluation } from './kpi-rule-evaluation.service.js';
import { identityHex, KpiSeriesRepository, type SeriesNumbers } from './kpi-series.repository.js';
import { familyOf, type SeriesKey } from './kpi-series.js';
import { KpiSnapshotRepository, type SnapshotRecord, type SnapshotValues } from './kpi-snapshot.repository.js';

export interface FigureToRecord extends KpiFigure {
  /** Of the bucket as its sender knows it; undefined where nothing is expected to be recorded yet. */
  expectedRevision: string | undefined;
}

export type RecordOutcome =
  | { status: 'recorded' | 'revised'; kpi: KpiSnapshot; before: KpiSnapshot | undefined }
  | { status: 'rejected'; failure: ExpectedFailure; details?: object; conflictSnapshot?: KpiSnapshot };

export interface Recorded {
  /** In the order of the figures. */
  outcomes: RecordOutcome[];
  /** What rules say to it; appended to the log by who owns the transaction. */
  events: OwnEvent[];
}

/** More would make a page of the KPI slow: its series are looked into one by one. */
const MAX_SERIES_OF_A_KPI = 10_000;

type Judged =
  | { write: 'insert' | 'revise'; values: SnapshotValues; before: SnapshotRecord | undefined }
  | { outcome: RecordOutcome };

/**
 * Writes figures into their buckets and lets the rules judge them, inside the transaction of who asked. Everybody who writes a
 * series takes its lock first, so of any number who record one bucket each sees what the one before has written.
 */
@Injectable()
export class KpiRecorder {
  constructor(
    private readonly series: KpiSeriesRepository,
    private readonly snapshots: KpiSnapshotRepository,
    private readonly rules: KpiRuleEvaluation,
  ) {}

  async record(tx: Tx, orgcode: string, figures: readonly FigureToRecord[]): Promise<Recorded> {
    const numbers = await this.takeSeries(tx, orgcode, figures);
    const judged = judge(figures, numbers, await this.present(tx, orgcode, figures, numbers));
    const written = await this.write(tx, orgcode, judged);
    const outcomes = judged.map((one, i) => outcomeOf(one, figures[i] as FigureToRecord, written));
    const events = await this.rules.evaluate(
      tx,
      orgcode,
      judged.flatMap((one, i) => {
        const record = 'outcome' in one ? undefined : written.get(one.values.kpiId);
        return record ? [{ ...record, key: (figures[i] as FigureToRecord).key }] : [];
      }),
    );
    return { outcomes, events };
  }

  /** Locked to the commit; those that are new are made, up to what a KPI may have. */
  private async takeSeries(tx: Tx, orgcode: string, figures: readonly FigureToRecord[]): Promise<SeriesNumbers> {
    const keys = new Map(figures.map(({ key }) => [identityHex(key), key]));
    const known = await this.series.lock(tx, orgcode, [...keys.keys()]);
    const missing = [...keys].filter(([identity]) => !known.has(identity)).map(([, key]) => key);
    if (missing.length === 0) return known;
    await this.series.insert(tx, orgcode, await this.withinBound(tx, orgcode, missing));
    return this.series.lock(tx, orgcode, [...keys.keys()]);
  }

  private async withinBound(tx: Tx, orgcode: string, keys: readonly SeriesKey[]): Promise<SeriesKey[]> {
    const room = new Map<string, number>();
    const admitted: SeriesKey[] = [];
    for (const key of keys) {
      const family = identityHex({ ...key, channelCode: undefined, dimensions: {} });
      const left = room.get(family) ?? MAX_SERIES_OF_A_KPI - (await this.series.count(tx, orgcode, key));
      if (left > 0) admitted.push(key);
      room.set(family, left - 1);
    }
    return admitted;
  }

  private present(
    tx: Tx,
    orgcode: string,
    figures: readonly FigureToRecord[],
    numbers: SeriesNumbers,
  ): Promise<SnapshotRecord[]> {
    const buckets = figures.flatMap(({ key, start }) => {
      const series = numbers.get(identityHex(key));
      return series === undefined ? [] : [{ series, bucketStart: start }];
    });
    const kpiIds = figures.flatMap(({ kpiId }) => (kpiId === undefined ? [] : [kpiId]));
    return this.snapshots.present(tx, orgcode, buckets, kpiIds);
  }

  /** By their ids. */
  private async write(tx: Tx, orgcode: string, judged: readonly Judged[]): Promise<Map<string, SnapshotRecord>> {
    const of = (write: 'insert' | 'revise'): SnapshotValues[] =>
      judged.flatMap((one) => ('write' in one && one.write === write ? [one.values] : []));
    const [toInsert, toRevise] = [of('insert'), of('revise')];
    const inserted = toInsert.length > 0 ? await this.snapshots.insert(tx, orgcode, toInsert) : [];
    const revised = toRevise.length > 0 ? await this.snapshots.revise(tx, orgcode, toRevise) : [];
    return new Map([...inserted, ...revised].map((record) => [record.kpiId, record]));
  }
}

function judge(
  figures: readonly FigureToRecord[],
  numbers: SeriesNumbers,
  present: readonly SnapshotRecord[],
): Judged[] {
  const byBucket = new Map(present.map((record) => [bucketName(record.series, record.bucketStart), record]));
  const takenIds = new Set(present.map(({ kpiId }) => kpiId));
  const seen = new Set<string>();
  return figures.map((figure): Judged => {
    const series = numbers.get(identityHex(figure.key));
    if (series === undefined) return refused(kpiErrors.tooManySeries, { details: { max: MAX_SERIES_OF_A_KPI } });
    const bucket = bucketName(series, figure.start);
    if (seen.has(bucket)) return refused(kpiErrors.repeated);
    seen.add(bucket);
    const current = byBucket.get(bucket);
    if (current) return judgeRevision(figure, series, current);
    if (figure.expectedRevision !== undefined) return refused(kpiErrors.notFound);
    const kpiId = figure.kpiId ?? `kpi_${randomBytes(12).toString('base64url')}`;
    if (takenIds.has(kpiId)) return refused(kpiErrors.idTaken);
    takenIds.add(kpiId);
    return { write: 'insert', values: valuesOf(figure, series, kpiId), before: undefined };
  });
}

function judgeRevision(figure: FigureToRecord, series: bigint, current: SnapshotRecord): Judged {
  const conflictSnapshot = snapshotToWire(current, figure.key);
  if (figure.expectedRevision === undefined) return refused(platformErrors.revisionRequired, { conflictSnapshot });
  if (figure.kpiId !== undefined && figure.kpiId !== current.kpiId) return refused(kpiErrors.idTaken);
  if (figure.expectedRevision !== String(current.revision))
    return refused(platformErrors.revisionStale, { conflictSnapshot });
  return { write: 'revise', values: valuesOf(figure, series, current.kpiId), before: current };
}

function outcomeOf(
  judged: Judged,
  { key }: FigureToRecord,
  written: ReadonlyMap<string, SnapshotRecord>,
): RecordOutcome {
  if ('outcome' in judged) return judged.outcome;
  const record = written.get(judged.values.kpiId);
  if (!record) return { status: 'rejected', failure: kpiErrors.idTaken };
  return {
    status: judged.write === 'insert' ? 'recorded' : 'revised',
    kpi: snapshotToWire(record, key),
    before: judged.before && snapshotToWire(judged.before, key),
  };
}

function refused(
  failure: ExpectedFailure,
  more: { details?: object; conflictSnapshot?: KpiSnapshot } = {},
): { outcome: RecordOutcome } {
  return { outcome: { status: 'rejected', failure, ...more } };
}

function valuesOf(figure: FigureToRecord, series: bigint, kpiId: string): SnapshotValues {
  const { start, end, value, valueUnit, sampleCount, computedAt, policyRefs } = figure;
  return {
    series,
    family: familyOf(figure.key),
    bucketStart: start,
    bucketEnd: end,
    kpiId,
    value,
    valueUnit,
    sampleCount,
    computedAt,
    policyRefs,
  };
}

function bucketName(series: bigint, start: Date): string {
  return `${series} ${start.getTime()}`;
}

import { Injectable } from '@nestjs/common';
import type { OwnEvent } from '../cdc/own-events.service.js';
import type { Tx } from '../platform/database/transaction.js';
import { KpiAlertRepository } from './kpi-alert.repository.js';
import { alertCleared, alertRaised } from './kpi-own-events.js';
import { KpiRuleRepository, type RuleRecord } from './kpi-rule.repository.js';
import type { SeriesKey } from './kpi-series.js';
import { KpiSnapshotRepository, type SnapshotRecord } from './kpi-snapshot.repository.js';
import { newAlertOf, type RuleVerdict } from './rule-alert.js';
import { verdictsOf, watches } from './rule-verdict.js';

export type WrittenFigure = Pick<SnapshotRecord, 'series' | 'bucketStart' | 'bucketEnd' | 'value'> & { key: SeriesKey };

/**
 * Judges what was written, in the transaction that wrote it and under the lock of its series. A rule raises a bucket once,
 * whatever becomes of it afterwards; a bucket that is within its threshold clears what the rule has raised up to it.
 */
@Injectable()
export class KpiRuleEvaluation {
  constructor(
    private readonly rules: KpiRuleRepository,
    private readonly alerts: KpiAlertRepository,
    private readonly snapshots: KpiSnapshotRepository,
  ) {}

  /** What is to be said of it in the organisation's log. */
  async evaluate(tx: Tx, orgcode: string, written: readonly WrittenFigure[]): Promise<OwnEvent[]> {
    if (written.length === 0) return [];
    const kpiCodes = [...new Set(written.map(({ key }) => key.kpiCode))];
    const rules = await this.rules.active(tx, orgcode, kpiCodes);
    const verdicts = await this.verdicts(tx, orgcode, rules, written);
    if (verdicts.length === 0) return [];
    return [...(await this.raise(tx, orgcode, verdicts)), ...(await this.clear(tx, orgcode, verdicts))];
  }

  private async verdicts(
    tx: Tx,
    orgcode: string,
    rules: readonly RuleRecord[],
    written: readonly WrittenFigure[],
  ): Promise<RuleVerdict[]> {
    const watched = written
      .map((figure) => ({ figure, watching: rules.filter((rule) => watches(rule, figure.key)) }))
      .filter(({ watching }) => watching.length > 0);
    const compared = watched.filter(({ watching }) => watching.some(({ measure }) => measure === 'change_percent'));
    const neighbours = new Neighbours(
      compared.length === 0
        ? []
        : await this.snapshots.neighbours(
            tx,
            orgcode,
            compared.map(({ figure }) => figure),
          ),
    );
    return watched.flatMap(({ figure, watching }) =>
      watching.flatMap((rule) =>
        verdictsOf(rule, figure, neighbours.of(figure)).map((verdict) => ({
          ...verdict,
          rule,
          series: figure.series,
          key: figure.key,
        })),
      ),
    );
  }

  private async raise(tx: Tx, orgcode: string, verdicts: readonly RuleVerdict[]): Promise<OwnEvent[]> {
    const breached = verdicts.filter(({ isBreached }) => isBreached);
    if (breached.length === 0) return [];
    return (await this.alerts.insert(tx, orgcode, breached.map(newAlertOf))).map(alertRaised);
  }

  private async clear(tx: Tx, orgcode: string, verdicts: readonly RuleVerdict[]): Promise<OwnEvent[]> {
    const within = verdicts.filter(({ isBreached }) => !isBreached);
    if (within.length === 0) return [];
    const open = await this.alerts.open(tx, orgcode, [...new Set(within.map(({ series }) => series))]);
    const cleared = open.flatMap((alert) => {
      const by = within.find(
        ({ rule, series, bucket }) =>
          rule.ruleNo === alert.ruleNo && series === alert.series && alert.bucketStart <= bucket.bucketStart,
      );
      return by ? [{ alert, value: by.bucket.value }] : [];
    });
    if (cleared.length === 0) return [];
    await this.alerts.clear(
      tx,
      orgcode,
      cleared.map(({ alert }) => alert.alertId),
    );
    return cleared.map(({ alert, value }) => alertCleared(alert, value));
  }
}

/** Figures by where they begin and where they end. */
class Neighbours {
  private readonly byEnd = new Map<string, SnapshotRecord>();
  private readonly byStart = new Map<string, SnapshotRecord>();

  constructor(records: readonly SnapshotRecord[]) {
    for (const record of records) {
      this.byEnd.set(placeOf(record.series, record.bucketEnd), record);
      this.byStart.set(placeOf(record.series, record.bucketStart), record);
    }
  }

  of({ series, bucketStart, bucketEnd }: WrittenFigure): {
    before: SnapshotRecord | undefined;
    after: SnapshotRecord | undefined;
  } {
    return {
      before: this.byEnd.get(placeOf(series, bucketStart)),
      after: this.byStart.get(placeOf(series, bucketEnd)),
    };
  }
}

function placeOf(series: bigint, time: Date): string {
  return `${series} ${time.getTime()}`;
}

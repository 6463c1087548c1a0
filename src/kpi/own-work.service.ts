import { Injectable } from '@nestjs/common';
import { EventCounts } from '../cdc/event-counts.service.js';
import { DeliveryPeriods } from '../delivery/delivery-periods.service.js';
import type { Period } from './bucket-time.js';
import { KpiHistoryRepository } from './kpi-history.repository.js';
import { OWN_KPIS, type OwnWork } from './own-figures.js';
import { rolledUp, type Aggregate } from './rollup.js';

/** What IPM did for an organisation, as the rooms that did it know. */
@Injectable()
export class OwnWorks {
  constructor(
    private readonly events: EventCounts,
    private readonly deliveries: DeliveryPeriods,
    private readonly history: KpiHistoryRepository,
  ) {}

  /** The last event before a time, from which the next hour is counted. */
  positionAt(orgcode: string, time: Date): Promise<bigint> {
    return this.events.positionAt(orgcode, time);
  }

  /** And the last event that was counted. */
  async ofHour(orgcode: string, hour: Period, after: bigint): Promise<{ work: OwnWork; position: bigint }> {
    const { events, imported, position } = await this.events.until(orgcode, after, hour.end);
    const lagSeconds = Math.round((await this.events.lagSeconds(orgcode)) * 1_000) / 1_000;
    return { work: { events, imported, lagSeconds, ...(await this.deliveriesIn(orgcode, hour)) }, position };
  }

  /** Out of its hours, and of deliveries out of their tallies, because percentiles do not add up. */
  async ofDay(orgcode: string, day: Period): Promise<OwnWork> {
    return {
      events: await this.ofHours(orgcode, OWN_KPIS.events, day, 'sum'),
      imported: await this.ofHours(orgcode, OWN_KPIS.imported, day, 'sum'),
      lagSeconds: await this.ofHours(orgcode, OWN_KPIS.lagSeconds, day, 'max'),
      ...(await this.deliveriesIn(orgcode, day)),
    };
  }

  private async deliveriesIn(
    orgcode: string,
    { start, end }: Period,
  ): Promise<Pick<OwnWork, 'delivered' | 'failed' | 'dead' | 'successRatio' | 'p95AgeMs'>> {
    const { success_ratio, p95_age_ms, ...counts } = await this.deliveries.of(orgcode, start, end);
    return { ...counts, successRatio: success_ratio, p95AgeMs: p95_age_ms };
  }

  private async ofHours(orgcode: string, kpiCode: string, day: Period, aggregate: Aggregate): Promise<number> {
    const search = { kpiCode, bucket: 'hourly', scope: 'org', logicalGuid: '', channelCode: '', dimensions: {} };
    const [hours] = await this.history.series(orgcode, search, 0n, 1);
    const figures = hours ? await this.history.figures(orgcode, hours.series, day) : [];
    return rolledUp(aggregate, figures)?.value ?? 0;
  }
}

import { Injectable } from '@nestjs/common';
import { OwnEvents } from '../cdc/own-events.service.js';
import { Database } from '../platform/database/database.js';
import { periodAround, type OrganisationCalendar, type Period } from './bucket-time.js';
import { KpiRecorder } from './kpi-recorder.service.js';
import { OwnDays } from './own-days.service.js';
import { ownFigures } from './own-figures.js';
import { OwnKpiProgressRepository, type OwnProgress } from './own-kpi-progress.repository.js';
import { OwnWorks } from './own-work.service.js';

/** Until then tallies of an hour that is over may still be written. */
export const GRACE_SECONDS = 60;
/** What was missed for longer than that stays untold. */
const LONGEST_GAP_MS = 7 * 24 * 3_600_000;

/**
 * Tells IPM's own work for an organisation as KPIs: hour by hour, and a day when its hours are told. An hour and how far it is are
 * written in one transaction, so each is told once, whoever was lost in between.
 */
@Injectable()
export class OwnKpis {
  constructor(
    private readonly database: Database,
    private readonly progress: OwnKpiProgressRepository,
    private readonly works: OwnWorks,
    private readonly recorder: KpiRecorder,
    private readonly days: OwnDays,
    private readonly ownEvents: OwnEvents,
  ) {}

  /** Every hour that is over. Answers how many were told. */
  async tell(orgcode: string, calendar: OrganisationCalendar): Promise<number> {
    let progress = await this.beginning(orgcode, calendar);
    let told = 0;
    for (;;) {
      const hour = periodAround('hourly', progress.doneTo, calendar);
      if (hour.end.getTime() + GRACE_SECONDS * 1_000 > Date.now()) return told;
      const next = await this.tellHour(orgcode, hour, progress);
      if (!next) return told; // another worker is at it
      await this.days.tell(orgcode, calendar, next.doneTo);
      progress = next;
      told += 1;
    }
  }

  private async beginning(orgcode: string, calendar: OrganisationCalendar): Promise<OwnProgress> {
    const now = new Date();
    const known = await this.database.transaction(orgcode, (tx) => this.progress.take(tx, orgcode, 'hourly'));
    if (known && now.getTime() - known.doneTo.getTime() < LONGEST_GAP_MS) return known;
    const doneTo = periodAround('daily', now, calendar).start; // so that the first day that is told is a whole one
    const progress = { doneTo, position: await this.works.positionAt(orgcode, doneTo) };
    await this.database.transaction(orgcode, async (tx) => {
      await this.progress.begin(tx, orgcode, 'hourly', progress);
      await this.progress.begin(tx, orgcode, 'daily', progress);
      if (!known) return;
      for (const bucket of ['hourly', 'daily'] as const) await this.progress.move(tx, orgcode, bucket, progress);
    });
    return progress;
  }

  private async tellHour(orgcode: string, hour: Period, before: OwnProgress): Promise<OwnProgress | undefined> {
    const { work, position } = await this.works.ofHour(orgcode, hour, before.position);
    const figures = ownFigures('hourly', hour, work);
    const after = { doneTo: hour.end, position };
    const isOurs = await this.database.transaction(orgcode, async (tx) => {
      const current = await this.progress.take(tx, orgcode, 'hourly');
      if (current?.doneTo.getTime() !== before.doneTo.getTime()) return false;
      await this.progress.move(tx, orgcode, 'hourly', after);
      const { events } = await this.recorder.record(tx, orgcode, figures);
      await this.ownEvents.appendUnasked(tx, orgcode, 'IPM tells its own work as KPIs.', events);
      return true;
    });
    if (!isOurs) return undefined;
    this.ownEvents.announce(orgcode);
    return after;
  }
}

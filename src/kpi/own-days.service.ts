import { Injectable } from '@nestjs/common';
import { OwnEvents } from '../cdc/own-events.service.js';
import { Database } from '../platform/database/database.js';
import { periodAround, type OrganisationCalendar } from './bucket-time.js';
import { KpiRecorder } from './kpi-recorder.service.js';
import { ownFigures } from './own-figures.js';
import { OwnKpiProgressRepository } from './own-kpi-progress.repository.js';
import { OwnWorks } from './own-work.service.js';

/** Tells IPM's own work by the day, each day once. */
@Injectable()
export class OwnDays {
  constructor(
    private readonly database: Database,
    private readonly progress: OwnKpiProgressRepository,
    private readonly works: OwnWorks,
    private readonly recorder: KpiRecorder,
    private readonly ownEvents: OwnEvents,
  ) {}

  /** Every day whose hours are told. */
  async tell(orgcode: string, calendar: OrganisationCalendar, hoursDoneTo: Date): Promise<void> {
    for (;;) {
      const before = await this.database.transaction(orgcode, (tx) => this.progress.take(tx, orgcode, 'daily'));
      if (!before) return;
      const day = periodAround('daily', before.doneTo, calendar);
      if (day.end > hoursDoneTo) return;
      const figures = ownFigures('daily', day, await this.works.ofDay(orgcode, day));
      await this.database.transaction(orgcode, async (tx) => {
        const current = await this.progress.take(tx, orgcode, 'daily');
        if (current?.doneTo.getTime() !== before.doneTo.getTime()) return;
        await this.progress.move(tx, orgcode, 'daily', { doneTo: day.end, position: 0n });
        const { events } = await this.recorder.record(tx, orgcode, figures);
        await this.ownEvents.appendUnasked(tx, orgcode, 'IPM tells its own work as KPIs.', events);
      });
      this.ownEvents.announce(orgcode);
    }
  }
}

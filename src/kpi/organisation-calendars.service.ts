import { Injectable } from '@nestjs/common';
import { OrganisationService } from '../access/organisation.service.js';
import { isWeekStart, type OrganisationCalendar } from './bucket-time.js';

/** By which calendar an organisation's buckets go. */
@Injectable()
export class OrganisationCalendars {
  constructor(private readonly organisations: OrganisationService) {}

  async of(orgcode: string): Promise<OrganisationCalendar> {
    const { time_zone, week_start } = await this.organisations.get(orgcode);
    return { timeZone: time_zone, weekStart: isWeekStart(week_start) ? week_start : 'monday' };
  }
}

import { Injectable } from '@nestjs/common';
import { OrganisationService } from '../access/organisation.service.js';
import { bucketProblem, isWeekStart, type Bucket, type OrganisationCalendar, type Period } from './bucket-time.js';

const IN_UTC: OrganisationCalendar = { timeZone: 'UTC', weekStart: 'monday' };

/** By which calendar an organisation's buckets go. */
@Injectable()
export class OrganisationCalendars {
  constructor(private readonly organisations: OrganisationService) {}

  async of(orgcode: string): Promise<OrganisationCalendar> {
    const { time_zone, week_start } = await this.organisations.get(orgcode);
    return { timeZone: time_zone, weekStart: isWeekStart(week_start) ? week_start : 'monday' };
  }

  /** The one that a bucket has to be judged by: the organisation is asked only where UTC does not settle it. */
  judging(orgcode: string, bucket: Bucket, period: Period): Promise<OrganisationCalendar> {
    const isSettled = bucket !== 'weekly' && bucketProblem(bucket, period, IN_UTC) === undefined;
    return isSettled ? Promise.resolve(IN_UTC) : this.of(orgcode);
  }
}

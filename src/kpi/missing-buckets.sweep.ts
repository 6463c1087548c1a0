import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Database } from '../platform/database/database.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { log } from '../platform/telemetry/logger.js';
import { KpiRuleRepository, type RuleRecord } from './kpi-rule.repository.js';
import { MissingBuckets } from './missing-buckets.service.js';
import { OrganisationCalendars } from './organisation-calendars.service.js';

const EVERY_MS = 15_000;
const RULES_A_PAGE = 200;

/** Asks the rules that wait for buckets. Two workers that ask at once raise one alert: the table takes a bucket of a rule once. */
@Injectable()
export class MissingBucketsSweep {
  private isLooking = false;

  constructor(
    private readonly database: Database,
    private readonly rules: KpiRuleRepository,
    private readonly missing: MissingBuckets,
    private readonly calendars: OrganisationCalendars,
    private readonly stop: GracefulStop,
  ) {}

  @Interval(EVERY_MS)
  async look(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    try {
      await this.everyRule();
    } catch (error) {
      log.warn({ err: error }, 'missing buckets could not be looked for; they are in a moment');
    } finally {
      this.isLooking = false;
    }
  }

  private async everyRule(): Promise<void> {
    for (let after = 0n; ;) {
      const from = after;
      const rules = await this.database.acrossOrganisations('kpi rules', (tx) =>
        this.rules.waiting(tx, from, RULES_A_PAGE),
      );
      for (const rule of rules) {
        if (this.stop.isStopping) return;
        await this.ask(rule);
      }
      const last = rules.at(-1);
      if (!last || rules.length < RULES_A_PAGE) return;
      after = last.ruleNo;
    }
  }

  /** One that cannot be asked keeps no other from it. */
  private async ask(rule: RuleRecord): Promise<void> {
    try {
      await this.missing.look(rule, await this.calendars.of(rule.orgcode));
    } catch (error) {
      log.warn({ err: error, rule_id: rule.ruleId }, 'a rule could not look for missing buckets; it does in a moment');
    }
  }
}

import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { WriteService } from '../audit/write.service.js';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/transaction.js';
import { AppError, type FieldProblem } from '../platform/errors/app-error.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { RevisionedRecords } from '../platform/http/operation.js';
import { clampLimit, Paging, type Page } from '../platform/http/paging.js';
import { verifiedContext } from '../platform/http/verified-context.js';
import { isCalendarBucket } from './bucket-time.js';
import { kpiErrors } from './kpi.errors.js';
import type {
  KpiRule,
  KpiRuleCreateRequest,
  KpiRuleData,
  KpiRuleDeleteRequest,
  KpiRuleListRequest,
  KpiRuleStatusSetRequest,
  KpiRuleToCreate,
} from './kpi-rule.dto.js';
import { kpiRuleLifecycle, type KpiRuleStatus } from './kpi-rule-lifecycle.js';
import { ruleToWire } from './kpi-rule.mapper.js';
import { KpiRuleRepository, type NewRule, type RuleRecord } from './kpi-rule.repository.js';
import { dimensionProblem } from './kpi-series.js';

/** Each is asked for every figure of its KPI. */
const MAX_RULES = 500;

/** Standing rules over figures. */
@Injectable()
export class KpiRules extends RevisionedRecords {
  constructor(
    private readonly database: Database,
    private readonly writes: WriteService,
    private readonly rules: KpiRuleRepository,
    private readonly paging: Paging,
  ) {
    super();
  }

  create(caller: Caller, request: KpiRuleCreateRequest): Promise<Answer<KpiRuleData>> {
    return this.writes.once(
      caller,
      request,
      async (tx) => {
        if ((await this.rules.count(tx, caller.orgcode)) >= MAX_RULES)
          throw new AppError(kpiErrors.tooManyRules, { details: { max: MAX_RULES } });
        const record = await this.rules.insert(tx, caller.orgcode, newRuleOf(caller, request));
        if (!record) throw new AppError(kpiErrors.ruleExists);
        const rule = ruleToWire(record);
        const audit = { resource: { type: 'kpi_rule', id: rule.rule_id }, after: rule };
        return { data: { rule }, revision: rule.revision, audit };
      },
      { precondition: () => assertRule(request.rule) },
    );
  }

  setStatus(caller: Caller, request: KpiRuleStatusSetRequest): Promise<Answer<KpiRuleData>> {
    return this.writes.once(caller, request, async (tx) => {
      const before = await this.take(tx, caller.orgcode, request);
      kpiRuleLifecycle.assertStep(before.status as KpiRuleStatus, request.status);
      const rule = ruleToWire(await this.rules.setStatus(tx, caller.orgcode, request.rule_id, request.status));
      const audit = { resource: { type: 'kpi_rule', id: rule.rule_id }, before: ruleToWire(before), after: rule };
      return { data: { rule }, revision: rule.revision, audit };
    });
  }

  /** What it raised stays as it is. */
  delete(caller: Caller, request: KpiRuleDeleteRequest): Promise<Answer<KpiRuleData>> {
    return this.writes.once(caller, request, async (tx) => {
      const rule = ruleToWire(await this.take(tx, caller.orgcode, request));
      await this.rules.delete(tx, caller.orgcode, request.rule_id);
      const audit = { resource: { type: 'kpi_rule', id: rule.rule_id }, before: rule, after: { deleted: true } };
      return { data: { rule }, audit };
    });
  }

  async list({ orgcode }: Caller, { kpi_code, ...page }: KpiRuleListRequest): Promise<Page<KpiRule>> {
    const limit = clampLimit(page.limit);
    const scope = { orgcode, list: 'kpi/rule/list', filters: { kpi_code } };
    const [createdAt, ruleId] = this.paging.positionAfter(page.next_token, scope) ?? [];
    const after = createdAt === undefined ? undefined : { createdAt: new Date(createdAt), ruleId: String(ruleId) };
    const rows = await this.rules.page(orgcode, kpi_code, after, limit + 1);
    return this.paging.page(rows, limit, scope, {
      position: (row) => [row.createdAt.toISOString(), row.ruleId],
      item: ruleToWire,
    });
  }

  async snapshot(orgcode: string, { rule_id }: Readonly<Record<string, unknown>>): Promise<object | undefined> {
    if (typeof rule_id !== 'string') return undefined;
    const found = await this.database.read(orgcode, (db) => this.rules.find(db, orgcode, rule_id));
    return found ? ruleToWire(found) : undefined;
  }

  /** Locked to the commit and of the expected revision. */
  private async take(
    tx: Tx,
    orgcode: string,
    { rule_id, expected_revision }: { rule_id: string; expected_revision: string },
  ): Promise<RuleRecord> {
    const record = await this.rules.findForUpdate(tx, orgcode, rule_id);
    if (!record) throw new AppError(kpiErrors.ruleNotFound);
    if (String(record.revision) !== expected_revision)
      throw new AppError(platformErrors.revisionStale, { conflictSnapshot: ruleToWire(record) });
    return record;
  }
}

function newRuleOf(caller: Caller, { rule, rule_id, ...grounds }: KpiRuleCreateRequest): NewRule {
  return {
    ruleId: rule_id ?? `rule_${randomBytes(9).toString('base64url')}`,
    kpiCode: rule.kpi_code,
    bucket: rule.bucket,
    scope: rule.scope,
    logicalGuid: rule.logical_guid,
    channelCode: rule.channel_code,
    dimensions: rule.dimensions ?? {},
    measure: rule.measure ?? 'value',
    comparator: rule.comparator ?? 'gte',
    threshold: rule.value,
    title: rule.title,
    requestContext: verifiedContext(caller, grounds.request_context),
    reason: grounds.reason,
    sourceRefs: grounds.source_refs,
  };
}

function assertRule(rule: KpiRuleToCreate): void {
  const fields: FieldProblem[] = [];
  const dimension = dimensionProblem(rule.dimensions ?? {});
  if (dimension) fields.push({ path: 'rule.dimensions', tag: dimension.tag });
  if (rule.measure === 'minutes_missing') fields.push(...missingProblems(rule));
  else if (rule.comparator === undefined) fields.push({ path: 'rule.comparator', tag: 'required' });
  if (fields.length > 0) throw new AppError(kpiErrors.ruleInvalid, { fields });
}

/** When a bucket should have come is known where the calendar says it. */
function missingProblems({ bucket, comparator, value }: KpiRuleToCreate): FieldProblem[] {
  return [
    ...(isCalendarBucket(bucket) ? [] : [{ path: 'rule.bucket', tag: 'not_of_the_calendar' }]),
    ...(comparator === undefined || comparator === 'gte' ? [] : [{ path: 'rule.comparator', tag: 'not_gte' }]),
    ...(value < 0 ? [{ path: 'rule.value', tag: 'too_small' }] : []),
  ];
}

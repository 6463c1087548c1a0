import { Body, Controller } from '@nestjs/common';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { Operation, type ServiceLevel } from '../platform/http/operation.js';
import type { Page } from '../platform/http/paging.js';
import { CurrentCaller } from '../platform/http/request-scope.js';
import {
  KpiRuleCreateRequest,
  KpiRuleData,
  KpiRuleDeleteRequest,
  KpiRuleList,
  KpiRuleListRequest,
  KpiRuleStatusSetRequest,
  type KpiRule,
} from './kpi-rule.dto.js';
import { KpiRules } from './kpi-rules.service.js';

const read: ServiceLevel = { routeClass: 'Tier B', qps: 50, concurrency: 25, p95Ms: 300 };
const write: ServiceLevel = { routeClass: 'Tier D', qps: 10, concurrency: 5, p95Ms: 1_500, p99Ms: 3_000 };

@Controller('kpi/rule')
export class KpiRuleController {
  constructor(private readonly rules: KpiRules) {}

  @Operation('create', {
    role: 'integration_admin',
    summary: 'Create a standing rule over KPIs',
    description:
      'It judges figures as they are recorded, raises an alert once for a bucket, and clears it when the KPI returns.',
    data: KpiRuleData,
    level: write,
    write: true,
    costCentre: true,
    extension: true,
  })
  create(@CurrentCaller() caller: Caller, @Body() request: KpiRuleCreateRequest): Promise<Answer<KpiRuleData>> {
    return this.rules.create(caller, request);
  }

  @Operation('list', {
    role: 'integration_view',
    summary: 'List standing rules over KPIs',
    data: KpiRuleList,
    level: read,
    extension: true,
  })
  list(@CurrentCaller() caller: Caller, @Body() request: KpiRuleListRequest): Promise<Page<KpiRule>> {
    return this.rules.list(caller, request);
  }

  @Operation('status/set', {
    role: 'integration_admin',
    summary: 'Pause a standing rule, or set it active',
    data: KpiRuleData,
    level: write,
    write: true,
    costCentre: true,
    revisionOf: KpiRules,
    extension: true,
  })
  setStatus(@CurrentCaller() caller: Caller, @Body() request: KpiRuleStatusSetRequest): Promise<Answer<KpiRuleData>> {
    return this.rules.setStatus(caller, request);
  }

  @Operation('delete', {
    role: 'integration_admin',
    summary: 'Delete a standing rule',
    description: 'What it raised stays as it is.',
    data: KpiRuleData,
    level: write,
    write: true,
    costCentre: true,
    revisionOf: KpiRules,
    extension: true,
  })
  delete(@CurrentCaller() caller: Caller, @Body() request: KpiRuleDeleteRequest): Promise<Answer<KpiRuleData>> {
    return this.rules.delete(caller, request);
  }
}

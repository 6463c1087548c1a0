import { Body, Controller, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { Operation, type ServiceLevel } from '../platform/http/operation.js';
import type { Page } from '../platform/http/paging.js';
import { CurrentCaller } from '../platform/http/request-scope.js';
import {
  KpiBatchRequest,
  KpiBatchResult,
  KpiQueryRequest,
  KpiRecorded,
  KpiRecordRequest,
  KpiSeries,
  MAX_BATCH_BYTES,
} from './kpi.dto.js';
import {
  KpiAlertData,
  KpiAlertGetRequest,
  KpiAlertList,
  KpiAlertListRequest,
  KpiAlertRequest,
  type KpiAlert,
} from './kpi-alert.dto.js';
import { KpiAlerts } from './kpi-alerts.service.js';
import { KpiChartRequest } from './kpi-chart.dto.js';
import { KpiChart } from './kpi-chart.service.js';
import { KpiQuery } from './kpi-query.service.js';
import { KpiRollupData, KpiRollupGetRequest, KpiRollupRequest } from './kpi-rollup.dto.js';
import { KpiRollups } from './kpi-rollups.service.js';
import { KpiRecording } from './kpi-recording.service.js';

const read: ServiceLevel = { routeClass: 'Tier C', qps: 25, concurrency: 10, p95Ms: 1_200, p99Ms: 2_500 };
const write: ServiceLevel = { routeClass: 'Tier D', qps: 10, concurrency: 5, p95Ms: 1_500, p99Ms: 3_000 };

@Controller('kpi')
export class KpiController {
  constructor(
    private readonly recording: KpiRecording,
    private readonly reading: KpiQuery,
    private readonly charts: KpiChart,
    private readonly alerts: KpiAlerts,
    private readonly rollups: KpiRollups,
  ) {}

  @Operation('record', {
    role: 'integration_service',
    summary: 'Record KPI snapshot',
    data: KpiRecorded,
    level: write,
    write: true,
    costCentre: true,
  })
  record(@CurrentCaller() caller: Caller, @Body() request: KpiRecordRequest): Promise<Answer<KpiRecorded>> {
    return this.recording.record(caller, request);
  }

  @Operation('record/batch', {
    role: 'integration_service',
    summary: 'Record KPI snapshots',
    description: 'Takes 1 to 1,000 figures and answers for each: recorded, revised or rejected.',
    data: KpiBatchResult,
    level: write,
    write: true,
    costCentre: true,
    batchOf: 'kpis',
    maxBodyBytes: MAX_BATCH_BYTES,
    extension: true,
  })
  recordBatch(@CurrentCaller() caller: Caller, @Body() request: KpiBatchRequest): Promise<Answer<KpiBatchResult>> {
    return this.recording.recordBatch(caller, request);
  }

  @Operation('query', {
    role: 'integration_view',
    summary: 'Query KPI snapshots',
    data: KpiSeries,
    level: read,
    costCentre: true,
  })
  query(@CurrentCaller() caller: Caller, @Body() request: KpiQueryRequest): Promise<KpiSeries> {
    return this.reading.query(caller, request);
  }

  @Operation('chart.svg', {
    role: 'integration_view',
    method: 'GET',
    summary: 'Draw KPI snapshots',
    description:
      'The figures of kpi/query as lines with the thresholds of the rules that watch them; follows light and dark.',
    level: read,
    costCentre: true,
    extension: true,
  })
  async chart(
    @CurrentCaller() caller: Caller,
    @Query() request: KpiChartRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const svg = await this.charts.draw(caller, request);
    void reply.headers({
      'content-type': 'image/svg+xml; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    });
    void reply.serializer((text: unknown) => String(text)).send(svg);
  }

  @Operation('alert', {
    role: 'integration_service',
    summary: 'Emit KPI alert (optionally sends inbox notification)',
    data: KpiAlertData,
    level: write,
    write: true,
    costCentre: true,
  })
  alert(@CurrentCaller() caller: Caller, @Body() request: KpiAlertRequest): Promise<Answer<KpiAlertData>> {
    return this.alerts.emit(caller, request);
  }

  @Operation('alert/get', {
    role: 'integration_view',
    summary: 'Get a KPI alert',
    data: KpiAlertData,
    level: read,
    extension: true,
  })
  async getAlert(@CurrentCaller() { orgcode }: Caller, @Body() request: KpiAlertGetRequest): Promise<KpiAlertData> {
    return { alert: await this.alerts.get(orgcode, request.alert_id) };
  }

  @Operation('alert/list', {
    role: 'integration_view',
    summary: 'List KPI alerts',
    data: KpiAlertList,
    level: read,
    extension: true,
  })
  listAlerts(@CurrentCaller() caller: Caller, @Body() request: KpiAlertListRequest): Promise<Page<KpiAlert>> {
    return this.alerts.list(caller, request);
  }

  @Operation('rollup', {
    role: 'integration_service',
    summary: 'Roll figures up into larger buckets',
    description:
      'Hourly into daily or monthly, daily into monthly, each series by itself; done by an operation run. What is there is revised.',
    data: KpiRollupData,
    level: write,
    write: true,
    costCentre: true,
    rateClass: 'bulk',
    extension: true,
  })
  rollup(@CurrentCaller() caller: Caller, @Body() request: KpiRollupRequest): Promise<Answer<KpiRollupData>> {
    return this.rollups.order(caller, request);
  }

  @Operation('rollup/get', {
    role: 'integration_view',
    summary: 'Say how far a rollup is',
    data: KpiRollupData,
    level: read,
    extension: true,
  })
  async getRollup(@CurrentCaller() { orgcode }: Caller, @Body() request: KpiRollupGetRequest): Promise<KpiRollupData> {
    return { rollup: await this.rollups.get(orgcode, request.rollup_id) };
  }
}

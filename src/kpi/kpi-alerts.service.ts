import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { WriteService } from '../audit/write.service.js';
import { Configuration } from '../platform/config/configuration.js';
import { Database } from '../platform/database/database.js';
import { AppError, type FieldProblem } from '../platform/errors/app-error.js';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { clampLimit, Paging, type Page } from '../platform/http/paging.js';
import { verifiedContext } from '../platform/http/verified-context.js';
import type { OrganisationCalendar } from './bucket-time.js';
import type { KpiAlert, KpiAlertData, KpiAlertFields, KpiAlertListRequest, KpiAlertRequest } from './kpi-alert.dto.js';
import { kpiErrors } from './kpi.errors.js';
import { bucketProblems, periodOf } from './kpi-figure.js';
import { alertToWire } from './kpi-alert.mapper.js';
import type { KpiAlertDeliveryStatus } from './kpi-alert-lifecycle.js';
import { KpiAlertRepository, type NewAlert } from './kpi-alert.repository.js';
import { alertRaised } from './kpi-own-events.js';
import { seriesKeyOf } from './kpi-series.js';
import { OrganisationCalendars } from './organisation-calendars.service.js';
import { isBreached } from './threshold.js';

/** Alerts that callers emit, and what became of all of them. */
@Injectable()
export class KpiAlerts {
  constructor(
    private readonly database: Database,
    private readonly writes: WriteService,
    private readonly alerts: KpiAlertRepository,
    private readonly calendars: OrganisationCalendars,
    private readonly paging: Paging,
    private readonly configuration: Configuration,
  ) {}

  /** The inbox is not asked here: the alert stands whether or not there is one that answers. */
  async emit(caller: Caller, request: KpiAlertRequest): Promise<Answer<KpiAlertData>> {
    const { alert: fields } = request;
    const calendar = await this.calendars.judging(caller.orgcode, fields.bucket, periodOf(fields));
    return this.writes.once(
      caller,
      request,
      async (tx) => {
        const [record] = await this.alerts.insert(tx, caller.orgcode, [this.newAlert(caller, request)]);
        if (!record) throw new AppError(kpiErrors.alertExists);
        const alert = alertToWire(record);
        return {
          data: { alert },
          revision: alert.revision,
          audit: { resource: { type: 'kpi_alert', id: alert.alert_id }, after: alert },
          events: [alertRaised(record)],
        };
      },
      { precondition: () => assertEmittable(request.alert, calendar) },
    );
  }

  async get(orgcode: string, alertId: string): Promise<KpiAlert> {
    const found = await this.database.read(orgcode, (db) => this.alerts.find(db, orgcode, alertId));
    if (!found) throw new AppError(kpiErrors.alertNotFound);
    return alertToWire(found);
  }

  async list({ orgcode }: Caller, { kpi_code, rule_id, ...page }: KpiAlertListRequest): Promise<Page<KpiAlert>> {
    const limit = clampLimit(page.limit);
    const scope = { orgcode, list: 'kpi/alert/list', filters: { kpi_code, rule_id } };
    const [createdAt, alertId] = this.paging.positionAfter(page.next_token, scope) ?? [];
    const after = createdAt === undefined ? undefined : { createdAt: new Date(createdAt), alertId: String(alertId) };
    const rows = await this.alerts.page(orgcode, { kpiCode: kpi_code, ruleId: rule_id }, after, limit + 1);
    return this.paging.page(rows, limit, scope, {
      position: (row) => [row.createdAt.toISOString(), row.alertId],
      item: alertToWire,
    });
  }

  private newAlert(caller: Caller, { alert, ...grounds }: KpiAlertRequest): NewAlert {
    const { start, end } = periodOf(alert);
    const deliveryStatus = this.firstStatus(alert);
    const { notification_id, priority, act_by, status, state } = alert;
    return {
      ...seriesKeyOf(alert),
      alertId: alert.alert_id ?? `alert_${randomBytes(12).toString('base64url')}`,
      measure: 'value',
      value: alert.value,
      comparator: alert.threshold.comparator,
      threshold: alert.threshold.value,
      bucketStart: start,
      bucketEnd: end,
      title: alert.title,
      body: alert.body,
      teamGuid: alert.team_guid,
      inboxService: alert.inbox_service,
      notification: { notification_id, priority, act_by, status, state },
      deliveryStatus,
      dueAt: deliveryStatus === 'pending' ? new Date() : undefined,
      requestContext: verifiedContext(caller, grounds.request_context),
      reason: grounds.reason,
      sourceRefs: grounds.source_refs,
    };
  }

  private firstStatus({ deliver_to_inbox, inbox_service }: KpiAlertFields): KpiAlertDeliveryStatus {
    if (!deliver_to_inbox || inbox_service === undefined) return 'not_requested';
    return this.configuration.inbox.urls[inbox_service] === undefined ? 'not_configured' : 'pending';
  }
}

function assertEmittable(alert: KpiAlertFields, calendar: OrganisationCalendar): void {
  const fields: FieldProblem[] = bucketProblems(alert, calendar, 'alert.');
  if (alert.deliver_to_inbox && alert.inbox_service === undefined)
    fields.push({ path: 'alert.inbox_service', tag: 'required' });
  if (fields.length > 0) throw new AppError(kpiErrors.invalid, { fields });
  if (!isBreached(alert.value, alert.threshold)) throw new AppError(kpiErrors.notBreached);
}

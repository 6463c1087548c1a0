import { Injectable } from '@nestjs/common';
import { AppError, type FieldProblem } from '../platform/errors/app-error.js';
import { GuardedClient } from '../platform/outgoing/guarded-client.js';
import { headerProblems } from './custom-headers.js';
import { payloadFilterProblems } from './payload-filter.js';
import type {
  WebhookCreateRequest,
  WebhookFilter,
  WebhookSecretRotateRequest,
  WebhookSettingsRequest,
  WebhookUpdateRequest,
} from './webhook.dto.js';
import { webhookErrors } from './webhook.errors.js';

const SERVICE = /^(\*|[A-Za-z0-9_][A-Za-z0-9_.:-]{0,63})$/;
const ACTION = /^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}(\.\*)?$/;

/** What a webhook may be. What would be refused when it is sent is refused here, where it can be known. */
@Injectable()
export class WebhookRules {
  constructor(private readonly client: GuardedClient) {}

  /** Also where the name leads today; what it leads to tomorrow is judged at each connection. */
  async endpointProblem(url: string | undefined): Promise<string | undefined> {
    return url === undefined ? undefined : this.client.problemToday(url);
  }

  assertCreatable(request: WebhookCreateRequest, endpointProblem: string | undefined): void {
    assertEndpoint(endpointProblem);
    assertNone([
      ...(request.status === 'revoked' ? [{ path: 'status', tag: 'revoked_at_birth' }] : []),
      ...filterProblems(request.event_filters),
      ...headerProblems(request.headers ?? {}),
      ...settingProblems(request),
    ]);
  }

  assertUpdatable(request: WebhookUpdateRequest, endpointProblem: string | undefined): void {
    assertEndpoint(endpointProblem);
    assertNone([
      ...(request.event_filters ? filterProblems(request.event_filters) : []),
      ...headerProblems(request.headers ?? {}),
      ...settingProblems(request),
    ]);
  }

  assertFilters(filters: WebhookFilter[]): void {
    assertNone(filterProblems(filters));
  }

  assertRotatable({ expire_previous, overlap_seconds }: WebhookSecretRotateRequest): void {
    const contradicts = expire_previous === true && overlap_seconds !== undefined;
    assertNone(contradicts ? [{ path: 'overlap_seconds', tag: 'not_with_expire_previous' }] : []);
  }
}

function assertEndpoint(problem: string | undefined): void {
  if (problem === undefined) return;
  throw new AppError(webhookErrors.endpointNotAllowed, { fields: [{ path: 'endpoint_url', tag: problem }] });
}

function assertNone(fields: FieldProblem[]): void {
  if (fields.length > 0) throw new AppError(webhookErrors.invalid, { fields });
}

function settingProblems({ auto_pause }: WebhookSettingsRequest): FieldProblem[] {
  if (!auto_pause) return [];
  const { never, failures, after_seconds } = auto_pause;
  const thresholds = [failures, after_seconds].filter((threshold) => threshold !== undefined);
  const isOneOfBoth = never === true ? thresholds.length === 0 : never === undefined && thresholds.length === 2;
  return isOneOfBoth ? [] : [{ path: 'auto_pause', tag: 'never_or_both_thresholds' }];
}

function filterProblems(filters: readonly WebhookFilter[]): FieldProblem[] {
  if (filters.length === 0) return [{ path: 'event_filters', tag: 'empty' }];
  return filters.flatMap(({ service, actions = [], payload_filter }, i): FieldProblem[] => {
    const bad = actions.findIndex((action) => !ACTION.test(action));
    return [
      ...(SERVICE.test(service) ? [] : [{ path: `event_filters.${i}.service`, tag: 'not_a_name' }]),
      ...(bad === -1 ? [] : [{ path: `event_filters.${i}.actions.${bad}`, tag: 'not_a_name' }]),
      ...(payload_filter ? payloadFilterProblems(payload_filter, `event_filters.${i}.payload_filter`) : []),
    ];
  });
}

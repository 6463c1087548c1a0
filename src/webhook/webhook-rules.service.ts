import { Injectable } from '@nestjs/common';
import { AppError, type FieldProblem } from '../platform/errors/app-error.js';
import { GuardedClient } from '../platform/outgoing/guarded-client.js';
import { headerProblems } from './custom-headers.js';
import { payloadFilterProblems } from './payload-filter.js';
import type { WebhookCreateRequest } from './webhook.dto.js';
import { webhookErrors } from './webhook.errors.js';

const SERVICE = /^(\*|[A-Za-z0-9_][A-Za-z0-9_.:-]{0,63})$/;
const ACTION = /^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}(\.\*)?$/;

/** What a webhook may be. What would be refused when it is sent is refused here, where it can be known. */
@Injectable()
export class WebhookRules {
  constructor(private readonly client: GuardedClient) {}

  /** Also where the name leads today; what it leads to tomorrow is judged at each connection. */
  endpointProblem(url: string): Promise<string | undefined> {
    return this.client.problemToday(url);
  }

  assertCreatable(request: WebhookCreateRequest, endpointProblem: string | undefined): void {
    if (endpointProblem !== undefined) {
      const fields = [{ path: 'endpoint_url', tag: endpointProblem }];
      throw new AppError(webhookErrors.endpointNotAllowed, { fields });
    }
    const fields = [
      ...(request.status === 'revoked' ? [{ path: 'status', tag: 'revoked_at_birth' }] : []),
      ...filterProblems(request.event_filters),
      ...headerProblems(request.headers ?? {}),
    ];
    if (fields.length > 0) throw new AppError(webhookErrors.invalid, { fields });
  }
}

function filterProblems(filters: WebhookCreateRequest['event_filters']): FieldProblem[] {
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

import { createHash } from 'node:crypto';
import { apiKeyLifecycle } from '../access/api-key-lifecycle.js';
import { sessionLifecycle } from '../access/session-lifecycle.js';
import { bulkJobLifecycle } from '../bulk/bulk-job-lifecycle.js';
import { deliveryLifecycle } from '../delivery/delivery-lifecycle.js';
import { kpiAlertLifecycle } from '../kpi/kpi-alert-lifecycle.js';
import { kpiRuleLifecycle } from '../kpi/kpi-rule-lifecycle.js';
import { operationRunLifecycle } from '../operations/operation-run-lifecycle.js';
import { deadLetterLifecycle } from '../operator/dead-letter-lifecycle.js';
import type { LifecycleDefinition } from '../platform/lifecycle/lifecycle.js';
import { webhookLifecycle } from '../webhook/webhook-lifecycle.js';

/** The very objects that the rooms ask, by name. A test finds every `*-lifecycle.ts` in here. */
export const LIFECYCLES: readonly LifecycleDefinition<string>[] = [
  apiKeyLifecycle,
  bulkJobLifecycle,
  deadLetterLifecycle,
  deliveryLifecycle,
  kpiAlertLifecycle,
  kpiRuleLifecycle,
  operationRunLifecycle,
  sessionLifecycle,
  webhookLifecycle,
];

/** Changes exactly when a definition changes. */
export const LIFECYCLES_VERSION = versionOf(LIFECYCLES);

export function versionOf(lifecycles: readonly LifecycleDefinition<string>[]): string {
  return createHash('sha256').update(JSON.stringify(lifecycles)).digest('hex').slice(0, 16);
}

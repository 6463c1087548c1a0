import { Lifecycle } from '../platform/lifecycle/lifecycle.js';

export type WebhookStatus = 'active' | 'paused' | 'revoked';

export const webhookLifecycle = new Lifecycle<WebhookStatus>({
  service: 'ipm',
  name: 'webhook',
  states: ['active', 'paused', 'revoked'],
  transitions: [
    { from: 'active', to: 'active', rule: 'Set again by an admin: failure counters start anew.' },
    { from: 'active', to: 'paused', rule: 'By an admin, after repeated failures, or when the endpoint answers 410.' },
    { from: 'active', to: 'revoked', rule: 'By an admin, for good.' },
    { from: 'paused', to: 'paused', rule: 'Set again by an admin: reason and revision are new.' },
    { from: 'paused', to: 'active', rule: 'By an admin: counters start anew and what was missed is caught up.' },
    { from: 'paused', to: 'revoked', rule: 'By an admin, for good.' },
  ],
});

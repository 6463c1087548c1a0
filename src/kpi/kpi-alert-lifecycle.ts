import { Lifecycle } from '../platform/lifecycle/lifecycle.js';

export type KpiAlertDeliveryStatus = 'not_requested' | 'not_configured' | 'pending' | 'delivered' | 'failed';

export const kpiAlertLifecycle = new Lifecycle<KpiAlertDeliveryStatus>({
  service: 'ipm',
  name: 'kpi_alert',
  states: ['not_requested', 'not_configured', 'pending', 'delivered', 'failed'],
  transitions: [
    { from: 'pending', to: 'pending', rule: 'The inbox did not take it; it is tried again.' },
    { from: 'pending', to: 'delivered', rule: 'The inbox took the notification.' },
    { from: 'pending', to: 'failed', rule: 'The last attempt failed; the alert itself stands.' },
  ],
});

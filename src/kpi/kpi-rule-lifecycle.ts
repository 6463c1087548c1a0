import { Lifecycle } from '../platform/lifecycle/lifecycle.js';

export type KpiRuleStatus = 'active' | 'paused';

export const kpiRuleLifecycle = new Lifecycle<KpiRuleStatus>({
  service: 'ipm',
  name: 'kpi_rule',
  states: ['active', 'paused'],
  transitions: [
    { from: 'active', to: 'active', rule: 'Set again; it is a new revision.' },
    { from: 'active', to: 'paused', rule: 'Figures are recorded and not judged by it; what it raised stays raised.' },
    { from: 'paused', to: 'paused', rule: 'Set again; it is a new revision.' },
    { from: 'paused', to: 'active', rule: 'Figures recorded from now on are judged.' },
  ],
});

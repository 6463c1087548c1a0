import { Lifecycle } from '../platform/lifecycle/lifecycle.js';

export type DeadLetterStatus = 'open' | 'acknowledged' | 'replayed';

export const deadLetterLifecycle = new Lifecycle<DeadLetterStatus>({
  service: 'ipm',
  name: 'dead_letter',
  states: ['open', 'acknowledged', 'replayed'],
  transitions: [
    { from: 'open', to: 'acknowledged', rule: 'An operator has seen it and will not replay it.' },
    { from: 'open', to: 'replayed', rule: 'An operator replays it: one new delivery, linked both ways.' },
    { from: 'acknowledged', to: 'replayed', rule: 'An operator replays it after all.' },
  ],
});

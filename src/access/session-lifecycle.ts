import { Lifecycle } from '../platform/lifecycle/lifecycle.js';

export type SessionStatus = 'open' | 'closed';

export const sessionLifecycle = new Lifecycle<SessionStatus>({
  service: 'ipm',
  name: 'session',
  states: ['open', 'closed'],
  transitions: [
    { from: 'open', to: 'closed', rule: 'An owner closes the session; after its lifetime it ends by itself.' },
  ],
});

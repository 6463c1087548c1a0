import { Lifecycle } from '../platform/lifecycle/lifecycle.js';

export type OperationRunStatus = 'queued' | 'running' | 'completed';

export const operationRunLifecycle = new Lifecycle<OperationRunStatus>({
  service: 'ipm',
  name: 'operation_run',
  states: ['queued', 'running', 'completed'],
  transitions: [
    { from: 'queued', to: 'running', rule: 'A worker starts it; from now on it has a heartbeat.' },
    {
      from: 'queued',
      to: 'completed',
      rule: 'Cancelled before it started, or its work is gone and the reconciler ended it.',
    },
    {
      from: 'running',
      to: 'running',
      rule: 'Taken over from a worker that is gone, with a new heartbeat; that one has no say in it any more.',
    },
    { from: 'running', to: 'completed', rule: 'It ended, or the reconciler ended it; the outcome says how.' },
  ],
});

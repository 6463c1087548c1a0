import { Lifecycle } from '../platform/lifecycle/lifecycle.js';

export type DeliveryStatus = 'scheduled' | 'sending' | 'delivered' | 'dead' | 'held' | 'cancelled';

export const deliveryLifecycle = new Lifecycle<DeliveryStatus>({
  service: 'ipm',
  name: 'delivery',
  states: ['scheduled', 'sending', 'delivered', 'dead', 'held', 'cancelled'],
  transitions: [
    { from: 'scheduled', to: 'sending', rule: 'A worker claims it under a lease when it is due.' },
    { from: 'sending', to: 'delivered', rule: 'The endpoint answered 2xx.' },
    { from: 'sending', to: 'scheduled', rule: 'The attempt failed and another one is left, or the lease ran out.' },
    { from: 'sending', to: 'dead', rule: 'The last attempt failed, or the endpoint refused for good.' },
    { from: 'scheduled', to: 'held', rule: 'Its webhook is paused.' },
    { from: 'held', to: 'scheduled', rule: 'Its webhook is active again.' },
    {
      from: 'scheduled',
      to: 'dead',
      rule: 'It waited longer than WEBHOOK_DELIVERY_MAX_AGE, or its event is past retention.',
    },
    { from: 'dead', to: 'scheduled', rule: 'Retried by hand.' },
    { from: 'scheduled', to: 'cancelled', rule: 'Its webhook was revoked, or an operator ended it.' },
    { from: 'held', to: 'cancelled', rule: 'Its webhook was revoked, or an operator ended it.' },
  ],
});

import { defineErrors } from '../platform/errors/error-catalog.js';

export const deliveryErrors = defineErrors({
  notFound: {
    tag: 'delivery_not_found',
    major: 'not_found',
    status: 404,
    message: 'There is no delivery of that id; webhook/delivery/list names those that there are.',
  },
  notDead: {
    tag: 'delivery_not_dead',
    major: 'conflict',
    status: 409,
    message: 'Only a dead delivery is retried by hand; details.status says how it stands.',
  },
  isReplayed: {
    tag: 'delivery_replayed',
    major: 'conflict',
    status: 409,
    message: 'An operator has replayed it; details.replay_delivery_id names the delivery that took its place.',
  },
  eventExpired: {
    tag: 'event_expired',
    major: 'conflict',
    status: 409,
    message: 'The event is past retention: there is nothing left to send.',
  },
});

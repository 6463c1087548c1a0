import { defineErrors } from '../platform/errors/error-catalog.js';

export const replayErrors = defineErrors({
  running: {
    tag: 'replay_running',
    major: 'conflict',
    status: 409,
    message: 'A replay of this webhook is at work, or has that id; wait for its end, or cancel it.',
  },
  notFound: {
    tag: 'replay_not_found',
    major: 'not_found',
    status: 404,
    message: 'There is no replay of that id.',
  },
});

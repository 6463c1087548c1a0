import { defineErrors } from '../platform/errors/error-catalog.js';

export const webhookErrors = defineErrors({
  notFound: {
    tag: 'webhook_not_found',
    major: 'not_found',
    status: 404,
    message: 'There is no webhook of that id; webhook/list names those that there are.',
  },
  exists: {
    tag: 'webhook_exists',
    major: 'conflict',
    status: 409,
    message: 'A webhook of that id exists, and its secret is not shown again; choose another id.',
  },
  invalid: {
    tag: 'webhook_invalid',
    major: 'validation',
    status: 400,
    message: 'The webhook breaks a rule; details.fields names which.',
  },
  endpointNotAllowed: {
    tag: 'endpoint_not_allowed',
    major: 'validation',
    status: 400,
    message:
      'Webhooks are not sent there: use https, a public address and a port for web servers; details.fields says what is wrong.',
  },
  isRevoked: {
    tag: 'webhook_revoked',
    major: 'conflict',
    status: 409,
    message: 'The webhook was revoked for good; create another one.',
  },
  isPaused: {
    tag: 'webhook_paused',
    major: 'conflict',
    status: 409,
    message: 'The webhook is paused: set it active first, which also sends what it missed.',
  },
  notPaused: {
    tag: 'webhook_not_paused',
    major: 'conflict',
    status: 409,
    message: 'Deliveries under way would lose their order; set the webhook to paused first.',
  },
  tooMany: {
    tag: 'too_many_webhooks',
    major: 'conflict',
    status: 409,
    message: 'The organisation has as many webhooks as it may; revoke some. details.max says how many.',
  },
});

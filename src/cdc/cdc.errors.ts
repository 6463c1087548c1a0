import { defineErrors } from '../platform/errors/error-catalog.js';

export const cdcErrors = defineErrors({
  eventNotFound: {
    tag: 'event_not_found',
    major: 'not_found',
    status: 404,
    message: 'There is no such event; by event_id alone only recent ones are found, with occurred_at all of them.',
  },
  eventNotNamed: {
    tag: 'event_not_named',
    major: 'validation',
    status: 400,
    message: 'Name the event by position, or by event_id, best together with occurred_at.',
  },
  tokenExpired: {
    tag: 'next_token_expired',
    major: 'not_found',
    status: 410,
    message:
      'Events after this token were dropped by retention; details.earliest_token goes on at the first that is kept.',
  },
  tooManyReaders: {
    tag: 'too_many_readers',
    major: 'rate_limited',
    status: 429,
    retryable: true,
    message: 'The organisation has as many readers waiting as it may; close some, or ask without wait_ms.',
  },
  lastEventIdInvalid: {
    tag: 'last_event_id_invalid',
    major: 'validation',
    status: 400,
    message: 'Last-Event-ID or from must be the id of an event of a stream with the same filters.',
  },
});

/** What one event of a batch may be rejected with; its batch goes on. */
export const eventErrors = {
  invalid: { tag: 'event_invalid', message: 'The event breaks a rule of form; fields names which.' },
  unreadable: { tag: 'event_unreadable', message: 'The line is no JSON object.' },
  tooLarge: { tag: 'event_too_large', message: 'An event may have up to 256 KiB as JSON.' },
  tooFarAhead: { tag: 'event_in_future', message: 'occurred_at lies more than 24 hours ahead.' },
  reserved: { tag: 'event_service_reserved', message: 'Events of the service ipm are made by IPM itself.' },
  refusedByCatalog: {
    tag: 'event_refused_by_catalog',
    message: 'The event breaks what its type in the catalog enforces; fields names where.',
  },
  otherOrganisation: {
    tag: 'event_of_other_organisation',
    message: 'orgcode of the line is not that of the job.',
  },
  otherContext: {
    tag: 'event_context_mismatch',
    message: 'request_context of the event names another organisation than the call.',
  },
} as const;

export type EventError = (typeof eventErrors)[keyof typeof eventErrors];

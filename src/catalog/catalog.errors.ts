import { defineErrors } from '../platform/errors/error-catalog.js';

export const catalogErrors = defineErrors({
  specimenNotFound: {
    tag: 'specimen_not_found',
    major: 'not_found',
    status: 404,
    message: 'No event type or shape of that name has a specimen; without a name, specimen/get lists all.',
  },
  schemaNotFound: {
    tag: 'schema_not_found',
    major: 'not_found',
    status: 404,
    message: 'There is no such version of such an event type; event/catalog/list names the newest of each.',
  },
  eventTypeInvalid: {
    tag: 'event_type_invalid',
    major: 'validation',
    status: 400,
    message: 'The event type breaks a rule of the catalog; details.fields names which.',
  },
  eventTypeVersionExists: {
    tag: 'event_type_version_exists',
    major: 'conflict',
    status: 409,
    message: 'This version is registered and never changes; register the next one.',
  },
  eventTypeLoosened: {
    tag: 'event_type_loosened',
    major: 'conflict',
    status: 409,
    message: 'A built-in event type may be tightened and not loosened; details.fields names what would be weaker.',
  },
  eventTypeReserved: {
    tag: 'event_type_reserved',
    major: 'conflict',
    status: 409,
    message: 'Events of the service ipm are made by IPM itself; choose a service of your own.',
  },
  tooManyEventTypes: {
    tag: 'too_many_event_types',
    major: 'conflict',
    status: 409,
    message: 'The organisation has registered as many versions of event types as it may; details.max says how many.',
  },
});

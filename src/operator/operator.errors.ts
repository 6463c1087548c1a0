import { defineErrors } from '../platform/errors/error-catalog.js';

/** Document 002 names these; what it calls a code is the tag in capitals. */
export const operatorErrors = defineErrors({
  notFound: {
    tag: 'dead_letter_not_found',
    major: 'not_found',
    status: 404,
    message: 'There is no dead letter of that id: it was delivered, is being retried by hand, or never was.',
  },
  notDeadFailed: {
    tag: 'dead_letter_replay_requires_dead_failed',
    major: 'conflict',
    status: 409,
    message: 'Only what is dead_failed is replayed: this one is still tried, or was ended.',
  },
  alreadyReplayed: {
    tag: 'writeback_replay_already_exists',
    major: 'conflict',
    status: 409,
    message: 'It was replayed; replay-status names the replay, which is a dead letter of its own if it fails.',
  },
  preconditionFailed: {
    tag: 'writeback_precondition_failed',
    major: 'conflict',
    status: 409,
    message: 'Its webhook is paused, or its event is past retention: nothing could be sent now.',
  },
  illegalTransition: {
    tag: 'illegal_note_state_transition',
    major: 'conflict',
    status: 409,
    message: 'Its webhook is revoked, which is final: nothing is sent to it any more.',
  },
  alreadyAcknowledged: {
    tag: 'dead_letter_already_acknowledged',
    major: 'conflict',
    status: 409,
    message: 'An operator has acknowledged it, or replayed it, which says more; operatorStatus says which.',
  },
  bulkActNotFound: {
    tag: 'bulk_act_not_found',
    major: 'not_found',
    status: 404,
    message: 'There is no bulk act of that id.',
  },
});

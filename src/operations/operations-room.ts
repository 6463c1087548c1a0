import { defineOperatorRoom } from '../platform/http/operator-room.js';
import { operationErrors } from './operations.errors.js';

/** Document 001's room. Its errors have the form of document 003, section 8; who may not see it finds nothing here. */
export const operationsRoom = defineOperatorRoom({
  path: '/api/admin/operations',
  membersWith: 'integration_admin',
  wrongCredential: operationErrors.notFound,
  failureBody: ({ failure, context }, { requestIdentity }) => ({
    code: failure.tag,
    message: failure.message,
    details: { ...context.details, ...(context.fields ? { fields: context.fields } : {}) },
    request_id: requestIdentity.requestId,
  }),
});

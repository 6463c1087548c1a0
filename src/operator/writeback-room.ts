import type { FastifyRequest } from 'fastify';
import type { AppError, FieldProblem } from '../platform/errors/app-error.js';
import type { ErrorMajor, ExpectedFailure } from '../platform/errors/error-catalog.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import { defineOperatorRoom } from '../platform/http/operator-room.js';
import { operatorSafe } from './operator-redaction.js';

/** What document 002 calls a whole class of failures; of the others the tag is the code. */
const CODES: Partial<Record<ErrorMajor, string>> = { authentication: 'UNAUTHORIZED', validation: 'VALIDATION_ERROR' };
const MAX_NAMED = 5;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const writebackRoom = defineOperatorRoom({
  path: '/api/v1/operator/writeback',
  wrongCredential: platformErrors.credentialInvalid,
  failureBody: ({ failure, context }: AppError, { requestIdentity }: FastifyRequest) => ({
    ok: false,
    error: { code: CODES[failure.major] ?? failure.tag.toUpperCase(), message: messageOf(failure, context.fields) },
    correlationId: correlationIdOf(requestIdentity.requestId, requestIdentity.trace.traceId),
  }),
});

/** The envelope of the document has no place for wrong fields but the message. */
function messageOf({ message }: ExpectedFailure, fields: readonly FieldProblem[] = []): string {
  if (fields.length === 0) return message;
  const named = fields.slice(0, MAX_NAMED).map(({ path, tag }) => `${path} (${tag})`);
  return operatorSafe(`${message} Here: ${named.join(', ')}.`);
}

/** The caller's own id where it is a UUID, else that of the trace. The log has both. */
function correlationIdOf(requestId: string, traceId: string): string {
  if (UUID.test(requestId)) return requestId;
  return traceId.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

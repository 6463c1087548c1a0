import { AppError } from './app-error.js';
import { defineErrors, definedErrors, ERROR_MAJORS } from './error-catalog.js';
import { platformErrors } from './platform.errors.js';

/** The statuses that each class of error may have. */
const STATUSES: Readonly<Record<keyof typeof ERROR_MAJORS, readonly number[]>> = {
  validation: [400, 411, 413, 415, 422],
  authentication: [401],
  authorization: [403],
  not_found: [404],
  conflict: [409],
  precondition: [428],
  rate_limited: [429],
  unavailable: [503],
  internal: [500],
};

describe('the catalog of expected failures', () => {
  it('gives each a stable tag, a status that fits its class, and a sentence', () => {
    const failures = definedErrors();
    expect(failures).toEqual(expect.arrayContaining(Object.values(platformErrors)));
    for (const { tag, major, status, message } of failures) {
      expect(tag).toMatch(/^[a-z][a-z0-9_]*$/);
      expect({ tag, fits: STATUSES[major].includes(status) }).toEqual({ tag, fits: true });
      expect(message).toMatch(/^[A-Za-z].*\.$/);
      expect(message).not.toMatch(/\b(prisma|postgres|redis|fastify|nestjs?|undici)\b/i);
    }
  });

  it('says that a retry helps exactly where waiting helps', () => {
    for (const { tag, major, retryable } of definedErrors()) {
      if (major === 'unavailable' || major === 'rate_limited')
        expect({ tag, retryable }).toEqual({ tag, retryable: true });
      if (['validation', 'authentication', 'authorization', 'precondition', 'internal'].includes(major))
        expect({ tag, retryable }).toEqual({ tag, retryable: false });
    }
  });

  it('has each tag once in the whole product, and cannot be changed', () => {
    const definition = { tag: 'credential_invalid', major: 'conflict', status: 409, message: 'Again.' } as const;
    expect(() => defineErrors({ again: definition })).toThrow('defined twice');
    expect(() => Object.assign(platformErrors.internal, { status: 200 })).toThrow(TypeError);
  });

  it('is what an error carries, with its cause for the log alone', () => {
    const cause = new Error('select * from secrets');
    const error = new AppError(platformErrors.internal, { cause });
    expect(error.failure).toBe(platformErrors.internal);
    expect(error.cause).toBe(cause);
    expect(error.message).not.toContain('secrets');
  });
});

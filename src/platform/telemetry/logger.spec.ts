import { AppError } from '../errors/app-error.js';
import { platformErrors } from '../errors/platform.errors.js';
import { createLogger } from './logger.js';

function logged(fields: object): Record<string, unknown> {
  let line = '';
  createLogger({ write: (text) => (line += text) }).error(fields, 'said');
  return JSON.parse(line) as Record<string, unknown>;
}

describe('the log', () => {
  it('takes an expected failure with its cause, however frozen its catalog entry is', () => {
    const err = new AppError(platformErrors.databaseUnavailable, { cause: new Error('connection refused') });
    expect(logged({ err })).toMatchObject({
      level: 'error',
      msg: 'said',
      err: { type: 'AppError', tag: 'database_unavailable', cause: { message: 'connection refused' } },
    });
  });

  it('takes what is no error at all where an error is expected', () => {
    expect(logged({ err: 'a text' })).toMatchObject({ err: 'a text' });
    expect(logged({ err: undefined })).toMatchObject({ msg: 'said' });
  });

  it('hides credentials wherever they stand', () => {
    const line = JSON.stringify(
      logged({ headers: { 'x-api-key': 'canary' }, body: { inner: { secret: 'canary' } }, api_key: 'canary' }),
    );
    expect(line).not.toContain('canary');
  });
});

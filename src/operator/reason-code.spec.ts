import { failureKindOf, failureText, reasonCodeOf } from './reason-code.js';

describe('the reason of a failure', () => {
  it('is called reasonCode and written in capitals, whatever it was called before', () => {
    expect(reasonCodeOf({ reasonCode: 'http_500' })).toBe('HTTP_500');
    expect(reasonCodeOf({ code: ' timeout ' })).toBe('TIMEOUT');
    expect(reasonCodeOf({ reasonCode: 'new', code: 'old' })).toBe('NEW');
    expect(reasonCodeOf({ reasonCode: null, code: 'old' })).toBe('OLD');
    expect([reasonCodeOf({}), reasonCodeOf({ code: '' })]).toEqual([null, null]);
  });

  it.each([
    ['HTTP_500', 'retryable'],
    ['HTTP_503', 'retryable'],
    ['HTTP_429', 'retryable'],
    ['HTTP_408', 'retryable'],
    ['TIMEOUT', 'retryable'],
    ['CONNECTION_REFUSED', 'retryable'],
    ['HTTP_400', 'nonRetryable'],
    ['HTTP_404', 'nonRetryable'],
    ['HTTP_410', 'nonRetryable'],
    ['REDIRECT_REFUSED', 'nonRetryable'],
    ['ADDRESS_NOT_ALLOWED', 'nonRetryable'],
    ['WEBHOOK_REVOKED', 'nonRetryable'],
    ['INTERNAL_ERROR', 'unknown'],
    ['CALL_FAILED', 'unknown'],
    ['WORKERS_LOST', 'unknown'],
    [null, 'unknown'],
  ])('%s is %s', (reasonCode, kind) => expect(failureKindOf(reasonCode)).toBe(kind));

  it('reads as a sentence of ours', () => {
    expect(failureText('HTTP_502')).toBe('The endpoint answered 502.');
    expect(failureText('PORT_NOT_ALLOWED')).toBe('The endpoint leads where calls may not go.');
    expect(failureText('SOMETHING_ELSE')).toBe('The call failed.');
    expect(failureText(null)).toBeNull();
  });
});

import { headerProblems, MASKED_VALUE, maskedHeaders } from './custom-headers.js';

describe('custom headers', () => {
  it.each([
    [{ 'X-Environment': 'production', authorization: 'Bearer abc' }, []],
    [{ host: 'other' }, ['reserved']],
    [{ 'Content-Length': '7' }, ['reserved']],
    [{ 'webhook-signature': 'v1,x' }, ['reserved']],
    [{ 'X-Forwarded-For': '1.2.3.4' }, ['reserved']],
    [{ 'proxy-authorization': 'x' }, ['reserved']],
    [{ 'ipm-attempt': '1' }, ['reserved']],
    [{ 'with blank': 'x' }, ['not_a_header_name']],
    [{ '': 'x' }, ['not_a_header_name']],
    [{ 'x-a': 'line\r\nbreak: x' }, ['not_a_header_value']],
    [{ 'x-a': 'ünï' }, ['not_a_header_value']],
    [{ authorization: MASKED_VALUE }, ['masked']],
    [{ 'x-a': 7 }, ['not_a_header_value']],
    [{ 'x-a': '' }, ['not_a_header_value']],
    [{ 'x-a': 'a'.repeat(1_025) }, ['not_a_header_value']],
    [{ 'X-A': '1', 'x-a': '2' }, ['named_twice']],
    [Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`x-${i}`, '1'])), ['too_many']],
  ])('%j', (headers, tags) => {
    expect(headerProblems(headers).map(({ tag }) => tag)).toEqual(tags);
  });

  it('show of what looks like a credential only that it is there', () => {
    const headers = { Authorization: 'Bearer abc', 'X-Api-Key': 'k', 'x-my-token': 't', 'x-environment': 'production' };
    expect(maskedHeaders(headers)).toEqual({
      Authorization: MASKED_VALUE,
      'X-Api-Key': MASKED_VALUE,
      'x-my-token': MASKED_VALUE,
      'x-environment': 'production',
    });
  });
});

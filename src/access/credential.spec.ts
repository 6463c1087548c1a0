import fc from 'fast-check';
import { credentialIn } from './credential.js';

describe('the credential of a request', () => {
  it.each([
    [{ 'x-api-key': 'k' }, { kind: 'api_key', secret: 'k' }],
    [{ 'x-session-guid': 's' }, { kind: 'session', secret: 's' }],
    [{ authorization: 'Bearer t' }, { kind: 'jwt', secret: 't' }],
    [{ authorization: 'bEARER t' }, { kind: 'jwt', secret: 't' }],
  ])('is found: %j', (headers, credential) => {
    expect(credentialIn(headers)).toEqual(credential);
  });

  it.each([
    [{}],
    [{ 'x-api-key': '' }],
    [{ 'x-api-key': ['a', 'b'] }],
    [{ authorization: '' }],
    [{ authorization: 'Bearer' }],
    [{ authorization: 'Bearer ' }],
    [{ authorization: 'Bearer a b' }],
    [{ authorization: 'Bearer  a' }],
    [{ authorization: 'Basic YTpi' }],
    [{ authorization: 'Bearer a', 'x-api-key': 'k' }],
    [{ authorization: 'Basic a', 'x-api-key': 'k' }],
    [{ authorization: '', 'x-api-key': 'k' }],
    [{ 'x-session-guid': '', 'x-api-key': 'k' }],
  ])('is none: %j', (headers) => {
    expect(credentialIn(headers as never)).toBeUndefined();
  });

  it('is bounded, so that nobody makes us hash megabytes', () => {
    expect(credentialIn({ 'x-api-key': 'k'.repeat(8_192) })).toBeDefined();
    expect(credentialIn({ 'x-api-key': 'k'.repeat(8_193) })).toBeUndefined();
  });

  it('is never chosen when more than one kind is present', () => {
    const header = fc.option(fc.string(), { nil: undefined });
    fc.assert(
      fc.property(header, header, header, (key, session, bearer) => {
        const authorization = bearer === undefined ? undefined : `Bearer ${bearer}`;
        const headers = { 'x-api-key': key, 'x-session-guid': session, authorization };
        const present = Object.values(headers).filter((value) => value !== undefined).length;
        if (present !== 1) expect(credentialIn(headers)).toBeUndefined();
      }),
    );
  });
});

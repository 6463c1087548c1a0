import { isSensitiveName } from './sensitive-names.js';

describe('names of what nobody should read', () => {
  it.each([
    'password',
    'PassWord',
    'pass_word',
    'user.password',
    'passwd',
    'api_key',
    'apiKey',
    'API-KEY',
    'x-api-key',
    'x api key',
    'ａｐｉｋｅｙ',
    'Authorization',
    'proxy-authorization',
    'client_secret',
    'clientSecret',
    'accessToken',
    'Set-Cookie',
    'x-session-guid',
    'privateKey',
    'hmac_signature',
  ])('knows %s', (name) => expect(isSensitiveName(name)).toBe(true));

  it.each(['event_id', 'reasonCode', 'attempt', 'key', 'note', 'position', 'jobId', 'httpStatus', 'caption'])(
    'lets %s pass',
    (name) => expect(isSensitiveName(name)).toBe(false),
  );
});

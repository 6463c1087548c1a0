import { operatorSafe } from './operator-redaction.js';

const CANARY = 'canary-5e1f';

describe('what operators may see', () => {
  it.each([
    'idempotencyKey',
    'idempotency_key',
    'Idempotency-Key',
    'lastErrorDetail',
    'last_error_detail',
    'attemptHistory',
  ])('has no %s, at any depth', (name) => {
    const seen = operatorSafe({ kept: 1, [name]: CANARY, deep: [{ [name]: { inner: CANARY }, kept: 2 }] });
    expect(seen).toEqual({ kept: 1, deep: [{ kept: 2 }] });
  });

  it.each([
    'password',
    'PASSWORD',
    'Api-Key',
    'apiKey',
    'x_api_key',
    'clientSecret',
    'Authorization',
    'sessionGuid',
    'refresh.token',
  ])('shows nothing of %s, whatever stands there', (name) => {
    const seen = operatorSafe({ a: { b: [{ [name]: CANARY }, { [name]: { c: [CANARY] } }] } });
    expect(seen).toEqual({ a: { b: [{ [name]: '[redacted]' }, { [name]: '[redacted]' }] } });
  });

  it.each([
    [`Bearer ${CANARY}`],
    [`calls with whsec_${CANARY} failed`],
    [`https://user:${CANARY}@example.com/in`],
    [`https://example.com/in?api_key=${CANARY}&page=1`],
    [`{"password": "${CANARY}"}`],
    [`token: ${CANARY}`],
    [`{"pass phrase": 1, "passphrase": "several words and ${CANARY}"}`],
    [`why: see https://example.com/?a=1;secret=${CANARY}`],
    [`authorization: Bearer ${CANARY}`],
    [`eyJhbGciOiJIUzI1NiJ9.${CANARY}.sig`],
  ])('masks what looks like a credential in a text: %s', (text) => {
    expect(JSON.stringify(operatorSafe({ note: text, list: [text], [text]: 1 }))).not.toContain(CANARY);
  });

  it('lets everything else pass as it is', () => {
    const plain = {
      jobId: '0189c0de-0000-8000-8000-000000000001',
      noteId: 'order-4711',
      reasonCode: 'HTTP_500',
      attempts: 3,
      empty: null,
      isReplay: false,
      lastError: 'The endpoint answered 500.',
      updatedAt: '2026-01-01T00:00:00.000Z',
      nothing: { token: null },
    };
    expect(operatorSafe(plain)).toEqual(plain);
  });

  it('ends where somebody nests without end', () => {
    let nested: unknown = { password: CANARY };
    for (let depth = 0; depth < 100; depth += 1) nested = { inner: nested };
    expect(JSON.stringify(operatorSafe(nested))).not.toContain(CANARY);
  });
});

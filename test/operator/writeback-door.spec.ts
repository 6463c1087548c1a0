import { randomUUID } from 'node:crypto';
import { TestApi } from '../support/api.js';
import { eachAtADesk, OPERATOR_KEY, type OperatorDesk } from '../support/operator-desk.js';
import { UUID } from '../support/writeback-fields.js';

jest.setTimeout(60_000);

describe('the room of dead letters', () => {
  let desk: OperatorDesk;

  eachAtADesk((opened) => (desk = opened));

  describe('the door', () => {
    const ROUTES: ['GET' | 'POST', string][] = [
      ['GET', '/status/summary'],
      ['GET', '/dead-letters'],
      ['GET', `/dead-letters/${randomUUID()}`],
      ['GET', `/dead-letters/${randomUUID()}/history`],
      ['GET', `/dead-letters/${randomUUID()}/replay-status`],
      ['POST', `/dead-letters/${randomUUID()}/replay`],
      ['POST', `/dead-letters/${randomUUID()}/acknowledge`],
      ['POST', '/bulk-acts'],
      ['POST', '/bulk-acts/count'],
      ['GET', `/bulk-acts/${randomUUID()}`],
      ['POST', `/bulk-acts/${randomUUID()}/cancel`],
    ];

    it.each(ROUTES)('%s %s is shut to a wrong key and to none', async (method, path) => {
      for (const key of ['', 'x'.repeat(OPERATOR_KEY.length), desk.scene.key]) {
        const { status, body } = await desk.ask(method, path, undefined, { 'x-api-key': key });
        expect([status, body]).toEqual([
          401,
          {
            ok: false,
            error: { code: 'UNAUTHORIZED', message: expect.any(String) },
            correlationId: expect.stringMatching(UUID),
          },
        ]);
      }
    });

    it('gives back the id of the caller where it is a UUID, and one of its own otherwise', async () => {
      const id = randomUUID();
      const path = `/dead-letters/${randomUUID()}`;
      expect((await desk.get(path, { 'x-request-id': id })).body.correlationId).toBe(id);
      const { body } = await desk.get(path, { 'x-request-id': 'not-a-uuid' });
      expect(body.correlationId).toMatch(UUID);
      expect((await desk.get(path)).body.correlationId).toMatch(UUID);
    });

    it('names what is wrong with a request in its message, and has no other place for it', async () => {
      const { status, body } = await desk.get('/dead-letters?limit=0&status=none');
      expect([status, body]).toEqual([
        400,
        {
          ok: false,
          error: {
            code: 'VALIDATION_ERROR',
            message: expect.stringMatching(/status \(not_one_of\), limit \(not_1_to_100\)/),
          },
          correlationId: expect.stringMatching(UUID),
        },
      ]);
    });

    it('is shut to everybody where there is no API_KEY', async () => {
      const keyless = await TestApi.startOn(desk.api.database, { IPM_ROLE: 'api' });
      for (const key of [OPERATOR_KEY, '', desk.scene.key, undefined]) {
        const answer = await keyless.app.inject({
          url: '/api/v1/operator/writeback/status/summary',
          headers: key === undefined ? {} : { 'x-api-key': key },
        });
        expect([answer.statusCode, answer.json()]).toEqual([
          401,
          expect.objectContaining({ ok: false, error: expect.objectContaining({ code: 'UNAUTHORIZED' }) }),
        ]);
      }
      await keyless.app.close();
    });

    it('answers in its own words also where there is nothing, and where the body is no JSON', async () => {
      expect(await desk.refusal(desk.get('/nothing'))).toEqual([404, expect.stringMatching(/^[A-Z_]+$/)]);
      const answer = await desk.api.app.inject({
        method: 'POST',
        url: `/api/v1/operator/writeback/dead-letters/${randomUUID()}/replay`,
        headers: { 'x-api-key': OPERATOR_KEY, 'content-type': 'application/json' },
        payload: '{"reason":',
      });
      expect([answer.statusCode, answer.json()]).toEqual([
        400,
        expect.objectContaining({ ok: false, error: expect.objectContaining({ code: 'VALIDATION_ERROR' }) }),
      ]);
    });
  });
});

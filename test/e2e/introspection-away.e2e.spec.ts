import { randomUUID } from 'node:crypto';
import { IntrospectionService } from '../support/introspection-service.js';
import { TestApi } from '../support/api.js';

describe('sessions of an identity service that is not there', () => {
  it('are 503, and the process serves everything else', async () => {
    const service = await IntrospectionService.start();
    const { url } = service;
    await service.stop();
    const api = await TestApi.start({ SESSION_INTROSPECTION_URL: url });
    const { orgcode, key } = await api.anOwner();
    const answer = await api.call('/pagination/get', {}, { orgcode, headers: { 'x-session-guid': randomUUID() } });
    expect(answer).toMatchObject({ status: 503, body: { error: { error_code: 'identity_unavailable' } } });
    expect((await api.call('/pagination/get', {}, { orgcode, key })).status).toBe(200);
    await api.close();
  });
});

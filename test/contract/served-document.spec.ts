import { openApiDocument } from '../../src/platform/openapi/openapi-document.js';
import { TestApi } from '../support/api.js';
import { contract } from '../support/contract.js';
import { contractDifferences, operationsIn, type OpenApi } from '../support/contract-comparison.js';

describe('the served document', () => {
  let api: TestApi;
  let served: OpenApi;
  beforeAll(async () => {
    api = await TestApi.start();
    served = openApiDocument(api.app, 'https://ipm.example') as unknown as OpenApi;
  });
  afterAll(() => api.close());

  it('equals the contract in every operation, apart from what is marked x-ipm-extension', () => {
    expect(contractDifferences(contract as unknown as OpenApi, served)).toEqual([]);
  });

  it('serves each of the 22 routes of the contract', () => {
    const promised = [...operationsIn(contract as unknown as OpenApi).keys()];
    expect(promised).toHaveLength(22);
    const kept = [...operationsIn(served).keys()].filter((name) => promised.includes(name));
    expect(kept.sort()).toEqual(promised.sort());
  });

  it('is the one that /openapi.json answers', async () => {
    const docs = await TestApi.startOn(api.database, { IPM_DOCS: 'on' });
    try {
      const { statusCode, body } = await docs.app.inject({ method: 'GET', url: '/openapi.json' });
      expect(statusCode).toBe(200);
      expect(JSON.parse(body)).toEqual(JSON.parse(JSON.stringify(served)));
    } finally {
      await docs.app.close();
    }
  });

  it('is not served where documents are turned off', async () => {
    const off = await TestApi.startOn(api.database, { IPM_DOCS: 'off' });
    try {
      for (const url of ['/docs', '/openapi.json', '/openapi.yaml']) {
        expect((await off.app.inject({ method: 'GET', url })).statusCode).toBe(404);
      }
    } finally {
      await off.app.close();
    }
  });
});

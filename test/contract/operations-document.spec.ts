import { openApiDocument } from '../../src/platform/openapi/openapi-document.js';
import { TestApi } from '../support/api.js';
import { operationsContract } from '../support/operations-contract.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- walked as data
type Node = any;

/** What a client reads of a schema, without words for people and without a keyword of OpenAPI 3.0. */
function plain({ type, format, enum: values, items, additionalProperties }: Node): Node {
  return { type, format, enum: values, items, additionalProperties };
}

describe('the served document of room operations', () => {
  let api: TestApi;
  let served: Node;
  const promised: Node = operationsContract;
  beforeAll(async () => {
    api = await TestApi.start();
    served = JSON.parse(JSON.stringify(openApiDocument(api.app, 'https://ipm.example')));
  });
  afterAll(() => api.close());

  it('has its routes, beside /ipm', () => {
    expect(Object.keys(served.paths).filter((path) => path.startsWith('/api/admin/'))).toEqual(
      Object.keys(promised.paths),
    );
    for (const path of Object.keys(promised.paths)) {
      expect(Object.keys(served.paths[path])).toEqual(['get']);
      expect(served.paths[path].get.servers).toEqual([{ url: 'https://ipm.example' }]);
    }
  });

  it('takes the parameters of the document, and beside them what is marked as ours', () => {
    for (const path of Object.keys(promised.paths)) {
      const parameters: Node[] = served.paths[path].get.parameters;
      for (const { name, in: where, required = false, schema } of promised.paths[path].get.parameters) {
        const found = parameters.find((one) => one.name === name && one.in === where);
        expect([name, found?.required, plain(found?.schema ?? {})]).toEqual([name, required, plain(schema)]);
      }
      const known = promised.paths[path].get.parameters.map(({ name }: Node) => name);
      expect(
        parameters
          .map(({ name }) => name)
          .filter((name) => !known.includes(name))
          .sort(),
      ).toEqual(path.endsWith('}') ? [] : ['cursor', 'limit']);
    }
  });

  it('answers the shapes of the document', () => {
    const shapes: [name: string, schema: Node][] = [
      ...['OperationRunListItem', 'FailureSummaryItem', 'ReconciliationRecord'].map((name): [string, Node] => [
        name,
        promised.components.schemas[name],
      ]),
    ];
    for (const [name, { required = [], properties }] of shapes) {
      const shape = served.components.schemas[name];
      expect([name, Object.keys(shape.properties)]).toEqual([name, Object.keys(properties)]);
      for (const [property, schema] of Object.entries(properties))
        expect([name, property, plain(shape.properties[property])]).toEqual([name, property, plain(schema)]);
      expect([name, required.filter((one: string) => !shape.required?.includes(one))]).toEqual([name, []]);
    }
    const detail = promised.components.schemas.OperationRunDetail.allOf[1].properties;
    expect(Object.keys(served.components.schemas.OperationRunDetail.properties)).toEqual(
      expect.arrayContaining(Object.keys(detail)),
    );
  });
});

import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { openApiDocument } from '../../src/platform/openapi/openapi-document.js';
import { TestApi } from '../support/api.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- walked as data
type Node = any;

/** The rules of OpenAPI 3.1 that a generator can break: the meta-schema is not in any package that we install. */
const OPERATION_RULES = {
  type: 'object',
  required: ['operationId', 'responses', 'summary'],
  properties: {
    operationId: { type: 'string', minLength: 1 },
    summary: { type: 'string', minLength: 1 },
    parameters: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'in', 'schema'],
        properties: {
          name: { type: 'string' },
          in: { enum: ['header', 'path', 'query', 'cookie'] },
          required: { type: 'boolean' },
        },
        if: { properties: { in: { const: 'path' } } },
        then: { required: ['required'], properties: { required: { const: true } } },
      },
    },
    requestBody: {
      type: 'object',
      required: ['content'],
      properties: { required: { type: 'boolean' }, content: { $ref: '#/$defs/content' } },
    },
    responses: {
      type: 'object',
      minProperties: 1,
      propertyNames: { pattern: '^([1-5][0-9][0-9]|[1-5]XX|default|x-.*)$' },
      additionalProperties: {
        type: 'object',
        required: ['description'],
        properties: { description: { type: 'string', minLength: 1 }, content: { $ref: '#/$defs/content' } },
      },
    },
  },
  $defs: { content: { type: 'object', minProperties: 1, additionalProperties: { required: ['schema'] } } },
} as const;

function referencesIn(node: Node): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const own = typeof node.$ref === 'string' ? [node.$ref as string] : [];
  return [...own, ...Object.values(node).flatMap(referencesIn)];
}

describe('the served document as OpenAPI 3.1', () => {
  let api: TestApi;
  let document: Node;
  let operations: [string, Node][];
  beforeAll(async () => {
    api = await TestApi.start();
    document = JSON.parse(JSON.stringify(openApiDocument(api.app, 'https://ipm.example')));
    operations = Object.entries<Node>(document.paths).flatMap(([path, item]) =>
      Object.entries<Node>(item).map(([method, operation]) => [`${method} ${path}`, operation] as [string, Node]),
    );
  });
  afterAll(() => api.close());

  it('says its version, its title and where it is served', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(document.info).toMatchObject({ title: 'IPM API', version: expect.any(String) });
    expect(document.servers).toEqual([{ url: 'https://ipm.example/ipm' }]);
  });

  it('has well-formed operations, each with an id of its own', () => {
    const validate = new Ajv2020({ strict: false, allErrors: true }).compile(OPERATION_RULES);
    const problems = operations.flatMap(([name, operation]) =>
      validate(operation)
        ? []
        : (validate.errors ?? []).map(({ instancePath, message }) => `${name}${instancePath} ${message}`),
    );
    expect(problems).toEqual([]);
    expect(new Set(operations.map(([, { operationId }]) => operationId)).size).toBe(operations.length);
  });

  it('names in the path exactly the parameters that it describes', () => {
    for (const [name, { parameters = [] }] of operations) {
      const inPath = [...name.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      const described = parameters.filter((one: Node) => one.in === 'path').map((one: Node) => one.name);
      expect([name, described.sort()]).toEqual([name, inPath.sort()]);
    }
  });

  it('has no reference that leads nowhere and no shape that nothing refers to', () => {
    const named = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`);
    const used = new Set(referencesIn(document));
    expect([...used].filter((reference) => !named.includes(reference))).toEqual([]);
    expect(named.filter((reference) => !used.has(reference))).toEqual([]);
  });

  it('has shapes that are JSON Schema 2020-12, which OpenAPI 3.1 speaks', () => {
    const ajv = new Ajv2020({ strict: false });
    ajvFormats.default(ajv);
    ajv.addSchema(document, 'document');
    for (const name of Object.keys(document.components.schemas)) {
      expect(() => ajv.compile({ $ref: `document#/components/schemas/${name}` })).not.toThrow();
      expect(ajv.validateSchema(document.components.schemas[name])).toBe(true);
    }
    expect(JSON.stringify(document)).not.toContain('"nullable"'); // a keyword of 3.0
  });

  it('asks for credentials by schemes that it defines', () => {
    const schemes = Object.keys(document.components.securitySchemes);
    expect(document.security.flatMap((way: object) => Object.keys(way)).sort()).toEqual(schemes.sort());
  });

  it('takes a body without a required property as optional, and any other as required', () => {
    const withBody = operations.filter(([, { requestBody }]) => requestBody !== undefined);
    expect(withBody.length).toBeGreaterThan(10);
    for (const [name, { requestBody }] of withBody) {
      const shape = requestBody.content['application/json'].schema.$ref.split('/').at(-1);
      const needs = (document.components.schemas[shape].required ?? []).length > 0;
      expect([name, requestBody.required]).toEqual([name, needs]);
    }
  });
});

import fc from 'fast-check';
import { compilePayloadSchema } from './payload-schema.js';
import { bothSchemas } from './schema-conjunction.js';

const accepts = (schema: object, payload: unknown): boolean => compilePayloadSchema(schema)(payload).length === 0;

/** Schemas that use a definition of the same name for different things. */
const withDefinition = (definition: object): object => ({
  $defs: { amount: definition },
  type: 'object',
  properties: { a: { $ref: '#/$defs/amount' }, list: { type: 'array', items: { $ref: '#/$defs/amount' } } },
});

describe('bothSchemas', () => {
  it('accepts what both accept, also where their definitions have the same names', () => {
    const bounds = fc.record({ minimum: fc.integer({ min: -5, max: 5 }), maximum: fc.integer({ min: -5, max: 5 }) });
    const payload = fc.record({ a: fc.integer({ min: -6, max: 6 }), list: fc.array(fc.integer({ min: -6, max: 6 })) });
    fc.assert(
      fc.property(bounds, bounds, payload, (first, second, value) => {
        const [a, b] = [withDefinition(first), withDefinition(second)];
        expect(accepts(bothSchemas(a, b), value)).toBe(accepts(a, value) && accepts(b, value));
      }),
      { numRuns: 60 },
    );
  });

  it('follows definitions that name other definitions', () => {
    const chain = {
      $defs: { a: { $ref: '#/$defs/b' }, b: { type: 'string' } },
      properties: { x: { $ref: '#/$defs/a' } },
    };
    expect(accepts(bothSchemas(chain, {}), { x: 'text' })).toBe(true);
    expect(accepts(bothSchemas({}, chain), { x: 1 })).toBe(false);
  });

  it('leaves values alone that look like references, and properties that are called like keywords', () => {
    const schema = {
      type: 'object',
      properties: { $ref: { const: { $ref: '#/$defs/a' } }, enum: { enum: ['#/$defs/a', { $ref: '#/$defs/a' }] } },
    };
    const both = bothSchemas(schema, schema);
    expect(both).toEqual({ allOf: [schema, schema] });
    expect(accepts(both, { $ref: { $ref: '#/$defs/a' }, enum: { $ref: '#/$defs/a' } })).toBe(true);
    expect(accepts(both, { $ref: '#/$defs/a' })).toBe(false);
  });
});

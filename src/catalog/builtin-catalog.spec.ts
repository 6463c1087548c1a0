import { readdirSync } from 'node:fs';
import path from 'node:path';
import { assertContractSchema, contract } from '../../test/support/contract.js';
import { BuiltinCatalog, type ShapeDefinition } from './builtin-catalog.js';
import { eventTypeProblems } from './event-type-rules.js';
import { factsProblems } from './facts-rule.js';
import { compilePayloadSchema } from './payload-schema.js';

const catalog = new BuiltinCatalog();
const named = catalog.eventTypes.map((type) => [`${type.service}.${type.action}@${type.schemaVersion}`, type] as const);

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'));
}

/** Whether a schema knows the field at a redaction path such as `lines[].note`. */
function hasPath(schema: unknown, steps: readonly string[]): boolean {
  const [step, ...rest] = steps;
  if (step === undefined) return true;
  const field = (schema as { properties?: Record<string, unknown> }).properties?.[step.replace('[]', '')];
  if (field === undefined) return false;
  return hasPath(step.endsWith('[]') ? (field as { items?: unknown }).items : field, rest);
}

describe('the built-in catalog', () => {
  it('has the types of every service, each in the file of its name', () => {
    const files = filesIn('catalog/events').map((name) => name.split(path.sep).join('/').replace('.yaml', ''));
    expect(catalog.eventTypes.map(({ service, action }) => `${service}/${action}`).sort()).toEqual(files.sort());
    const services = ['ipm', 'scm', 'ics', 'pcm'].map(
      (service) => catalog.eventTypes.filter((type) => type.service === service).length,
    );
    expect(catalog.eventTypes.length).toBeGreaterThanOrEqual(25);
    expect(Math.min(...services)).toBeGreaterThanOrEqual(5);
  });

  it.each(named)('keeps the rules of event types in %s', (_name, type) => {
    expect(eventTypeProblems(type)).toEqual([]);
  });

  it.each(named)('has a specimen of %s that satisfies schema and facts and would be a whole event', (_name, type) => {
    const { payload, event_id, service, action, occurred_at } = type.specimen as Record<string, unknown>;
    expect(compilePayloadSchema(type.schema)(payload)).toEqual([]);
    if (type.facts) expect(factsProblems(payload, type.facts)).toEqual([]);
    expect({ service, action }).toEqual({ service: type.service, action: type.action });
    expect(event_id).toEqual(expect.stringMatching(/^[\x21-\x7e]{1,128}$/));
    expect(new Date(String(occurred_at)).toISOString()).toBe(new Date(Date.parse(String(occurred_at))).toISOString());
  });

  it.each(named)('redacts only fields that the schema of %s knows', (_name, type) => {
    const unknown = Object.keys(type.redaction).filter((place) => !hasPath(type.schema, place.split('.')));
    expect(unknown).toEqual([]);
  });

  it('demands claims or calculations in some types, and their specimens without them are refused', () => {
    const withFacts = catalog.eventTypes.filter(({ facts }) => facts?.references === 'required');
    expect(withFacts.length).toBeGreaterThanOrEqual(4);
    for (const { specimen, facts } of withFacts) {
      const bare = { ...(specimen?.payload as object), referenced_claim_ids: [], referenced_calc_ids: [] };
      expect(factsProblems(bare, facts!)).toContainEqual({
        path: 'payload.referenced_claim_ids',
        tag: 'reference_required',
      });
    }
  });

  it('enforces the rules of the events that IPM makes itself', () => {
    const own = catalog.eventTypes.filter(({ service }) => service === 'ipm');
    expect(own.filter(({ validation }) => validation !== 'enforce')).toEqual([]);
  });

  it('finds the newest version of each type', () => {
    for (const { service, action } of catalog.eventTypes) {
      const newest = catalog.findNewest(service, action)!;
      expect(catalog.find(service, action, newest.schemaVersion)).toBe(newest);
    }
    expect(catalog.findNewest('scm', 'no.such')).toBeUndefined();
  });
});

describe('the built-in shapes', () => {
  const shapes = [...catalog.shapes.values()].map((shape) => [shape.name, shape] as const);

  it('are each in the file of its name', () => {
    expect([...catalog.shapes.keys()].sort()).toEqual(
      filesIn('catalog/shapes')
        .map((name) => name.replace('.yaml', ''))
        .sort(),
    );
  });

  it.each(shapes)('%s has a specimen and says what it is', (_name, { specimen, description }) => {
    expect(Object.keys(specimen).length).toBeGreaterThan(0);
    expect(description.length).toBeGreaterThan(10);
  });

  it('satisfy the schemas of the contract that they name', () => {
    type WithContract = ShapeDefinition & { contract_schema?: string };
    const bound = shapes.map(([, shape]) => shape as WithContract).filter((shape) => shape.contract_schema);
    expect(bound.length).toBeGreaterThanOrEqual(6);
    for (const { contract_schema, specimen } of bound) {
      const wrapped = Object.keys(specimen).length === 1 && contract_schema === 'SourceRefs';
      assertContractSchema(contract_schema!, wrapped ? Object.values(specimen)[0] : specimen);
    }
    expect(() => assertContractSchema('Webhook', { webhook_id: 1 })).toThrow('not a Webhook');
    expect(Object.keys(contract.components.schemas)).toEqual(expect.arrayContaining(['Webhook', 'BulkJob']));
  });

  it('satisfy schemas of their own where others validate by them', () => {
    const withSchema = shapes.map(([, shape]) => shape).filter(({ schema }) => schema);
    expect(withSchema.map(({ name }) => name)).toContain('event_stored');
    for (const { name, schema, schema_version, specimen } of withSchema) {
      expect([name, compilePayloadSchema(schema!)(specimen)]).toEqual([name, []]);
      expect(catalog.shapeSchema({ service: 'ipm', action: name }, schema_version!)?.schema).toBe(schema);
      expect(catalog.shapeSchema({ service: 'scm', action: name }, schema_version!)).toBeUndefined();
      expect(catalog.shapeSchema({ service: 'ipm', action: name }, '9.9')).toBeUndefined();
    }
  });
});

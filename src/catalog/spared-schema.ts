import type { KeywordDefinition, SchemaValidateFunction } from 'ajv/dist/types/index.js';
import { isRedacted, type Redaction } from './redaction.js';
import { keywordKind } from './schema-keywords.js';

type Json = Readonly<Record<string, unknown>>;

const IS_SPARED = 'ipmIsSpared';
const REQUIRED_UNLESS_DROPPED = 'ipmRequiredUnlessDropped';
/** What decides between branches is asked as it is. */
const AS_IT_IS = ['if', 'not'];

/**
 * The schema with a way out wherever redaction may have put a mark or taken a value away, so that a payload that was redacted
 * already is judged by all the rest of it. The ways out go by name: one definition may stand in many places, and which of them is
 * a rule's is known when a payload is checked.
 */
export function sparedSchema(schema: object, { rules }: Redaction): object {
  const paths = Object.entries(rules).map(([path, mode]) => ({ last: path.split('.').at(-1) ?? '', mode }));
  const namesOf = (ofPaths: typeof paths): Set<string> => new Set(ofPaths.map(({ last }) => last.replace('[]', '')));
  const marked = paths.filter(({ mode }) => mode !== 'drop');
  const names = {
    marked: namesOf(marked),
    dropped: namesOf(paths.filter(({ mode }) => mode === 'drop')),
    hasMarkedItems: marked.some(({ last }) => last.endsWith('[]')),
  };
  return spared(schema, names) as object;
}

/** What gives the ways out their meaning. */
export function sparingKeywords(redaction: Redaction): KeywordDefinition[] {
  const isSpared: SchemaValidateFunction = (_schema, data: unknown, _parent, at) =>
    isRedacted(data) && redaction.explains(payloadPath(at?.instancePath), at?.rootData);
  const required: SchemaValidateFunction = (names: string[], data: Json, _parent, at) => {
    const missing = names.filter((name) => !Object.hasOwn(data, name));
    const missed = missing.find(
      (name) => !redaction.explains(`${payloadPath(at?.instancePath)}.${name}`, at?.rootData),
    );
    required.errors = missed === undefined ? [] : [{ keyword: 'required', params: { missingProperty: missed } }];
    return missed === undefined;
  };
  return [
    { keyword: IS_SPARED, schemaType: 'boolean', errors: false, validate: isSpared },
    { keyword: REQUIRED_UNLESS_DROPPED, type: 'object', schemaType: 'array', validate: required },
  ];
}

/** Where a problem or a value stands, as problems name it. */
export function payloadPath(instancePath = ''): string {
  return `payload${instancePath.replaceAll('/', '.')}`;
}

interface SparedNames {
  marked: ReadonlySet<string>;
  dropped: ReadonlySet<string>;
  hasMarkedItems: boolean;
}

function spared(schema: unknown, names: SparedNames): unknown {
  if (!isObject(schema)) return schema;
  const copy = mapped(schema, (keyword, inner) => sparedKeyword(keyword, inner, names));
  const required = Array.isArray(schema.required) ? (schema.required as string[]) : [];
  const dropped = required.filter((name) => names.dropped.has(name));
  if (dropped.length === 0) return copy;
  return {
    ...copy,
    required: required.filter((name) => !names.dropped.has(name)),
    [REQUIRED_UNLESS_DROPPED]: dropped,
  };
}

function sparedKeyword(keyword: string, inner: unknown, names: SparedNames): unknown {
  const kind = keywordKind(keyword);
  if (AS_IT_IS.includes(keyword)) return inner;
  const isOfItems = names.hasMarkedItems && (keyword === 'items' || keyword === 'prefixItems');
  const one = (schema: unknown): unknown => (isOfItems ? wayOut(spared(schema, names)) : spared(schema, names));
  if (kind === 'schema') return one(inner);
  if (kind === 'schemas' && Array.isArray(inner)) return inner.map(one);
  if (kind !== 'namedSchemas' || !isObject(inner)) return inner;
  return mapped(inner, (name, schema) =>
    keyword === 'properties' && names.marked.has(name) ? wayOut(one(schema)) : one(schema),
  );
}

function wayOut(schema: unknown): object {
  return { if: { [IS_SPARED]: true }, else: schema };
}

function mapped(object: Json, change: (name: string, value: unknown) => unknown): Json {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(name, value)]));
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

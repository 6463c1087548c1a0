import { keywordKind } from './schema-keywords.js';

type Json = Readonly<Record<string, unknown>>;

const OWN_DEFINITION = '#/$defs/';

/** One schema that demands what both do. A reference starts at the root, so each part's definitions get names of their own there. */
export function bothSchemas(first: object, second: object): object {
  const [a, b] = [renamed(first as Json, 'a_'), renamed(second as Json, 'b_')];
  const definitions = { ...a.definitions, ...b.definitions };
  return { ...(Object.keys(definitions).length > 0 ? { $defs: definitions } : {}), allOf: [a.schema, b.schema] };
}

function renamed(schema: Json, prefix: string): { schema: Json; definitions: Json } {
  const { $defs = {}, ...rest } = withRenamedRefs(schema, prefix) as Json;
  const entries = Object.entries($defs as Json).map(([name, definition]) => [prefix + name, definition]);
  return { schema: rest, definitions: Object.fromEntries(entries) as Json };
}

function withRenamedRefs(schema: unknown, prefix: string): unknown {
  if (Array.isArray(schema)) return schema.map((one) => withRenamedRefs(one, prefix));
  if (!isObject(schema)) return schema;
  return mapped(schema, (keyword, inner) => {
    if (keyword === '$ref' && typeof inner === 'string')
      return inner.replace(OWN_DEFINITION, `${OWN_DEFINITION}${prefix}`);
    const kind = keywordKind(keyword);
    if (kind === 'value') return inner;
    if (kind === 'namedSchemas' && isObject(inner)) return mapped(inner, (_, one) => withRenamedRefs(one, prefix));
    return withRenamedRefs(inner, prefix);
  });
}

function mapped(object: Json, change: (name: string, value: unknown) => unknown): Json {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(name, value)]));
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

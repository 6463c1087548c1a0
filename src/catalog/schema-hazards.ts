import type { FieldProblem } from '../platform/errors/app-error.js';

const MAX_SCHEMA_BYTES = 64 * 1024;
/** Sub-schemas with every `$ref` written out: what a check may have to visit. */
const MAX_EXPANDED_SCHEMAS = 1_000;
/** Comparing each item with each other is quadratic. */
const MAX_UNIQUE_ITEMS = 1_000;
const LOCAL_REF = /^#\/\$defs\/[A-Za-z0-9_.-]+$/;
const FOREIGN_KEYWORDS = ['$id', '$anchor', '$dynamicRef', '$dynamicAnchor', '$recursiveRef', '$vocabulary'];

type Json = Readonly<Record<string, unknown>>;

/** Why a schema that somebody else wrote must not be run: too large, recursive, growing without bound, or reaching outside. */
export function schemaHazards(schema: object): FieldProblem[] {
  if (JSON.stringify(schema).length > MAX_SCHEMA_BYTES) return [{ path: 'schema', tag: 'too_large' }];
  try {
    new Expansion((schema as Json).$defs).measure(schema, []);
    return [];
  } catch (hazard) {
    if (hazard instanceof Hazard) return [{ path: 'schema', tag: hazard.message }];
    throw hazard;
  }
}

class Hazard extends Error {}

const MAPS_OF_SCHEMAS = ['properties', 'patternProperties', 'dependentSchemas'];
const VALUES_NOT_SCHEMAS = ['enum', 'const', 'default', 'examples', 'required', 'dependentRequired', 'type'];

/** Walks a schema as a validator may: each reference as often as it is named. */
class Expansion {
  private visited = 0;

  constructor(private readonly definitions: unknown) {}

  measure(schema: unknown, openRefs: readonly string[]): void {
    this.visited += 1;
    if (this.visited > MAX_EXPANDED_SCHEMAS) throw new Hazard('too_complex');
    if (!isObject(schema)) return;
    assertSelfContained(schema);
    for (const [keyword, inner] of Object.entries(schema)) this.measureKeyword(keyword, inner, openRefs);
  }

  private measureKeyword(keyword: string, inner: unknown, openRefs: readonly string[]): void {
    if (keyword === '$ref') this.follow(inner, openRefs);
    else if (keyword === '$defs' || VALUES_NOT_SCHEMAS.includes(keyword)) return;
    else if (Array.isArray(inner)) for (const one of inner) this.measure(one, openRefs);
    else if (MAPS_OF_SCHEMAS.includes(keyword) && isObject(inner))
      for (const one of Object.values(inner)) this.measure(one, openRefs);
    else this.measure(inner, openRefs);
  }

  private follow(ref: unknown, openRefs: readonly string[]): void {
    if (typeof ref !== 'string' || !LOCAL_REF.test(ref)) throw new Hazard('only_refs_to_own_defs');
    if (openRefs.includes(ref)) throw new Hazard('recursive');
    this.measure(isObject(this.definitions) ? this.definitions[ref.slice('#/$defs/'.length)] : undefined, [
      ...openRefs,
      ref,
    ]);
  }
}

function assertSelfContained(node: Json): void {
  if (FOREIGN_KEYWORDS.some((keyword) => typeof node[keyword] === 'string')) throw new Hazard('not_self_contained');
  const bounded = typeof node.maxItems === 'number' && node.maxItems <= MAX_UNIQUE_ITEMS;
  if (node.uniqueItems === true && !bounded) throw new Hazard('unique_items_without_max_items');
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

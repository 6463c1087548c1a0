import { RE2JS } from 're2js';
import type { FieldProblem } from '../platform/errors/app-error.js';
import { keywordKind } from './schema-keywords.js';

const MAX_SCHEMA_BYTES = 64 * 1024;
/** Sub-schemas with every `$ref` written out: what a check may have to visit. */
const MAX_EXPANDED_SCHEMAS = 1_000;
/** Comparing each item with each other is quadratic. */
const MAX_UNIQUE_ITEMS = 1_000;
/** Linear in the text is not enough: all patterns of a schema together may take so many steps per character. */
const MAX_PATTERN_STEPS = 500;
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

/** Walks a schema as a validator may: each reference as often as it is named. */
class Expansion {
  private visited = 0;
  private patternSteps = 0;

  constructor(private readonly definitions: unknown) {}

  measure(schema: unknown, openRefs: readonly string[]): void {
    this.visited += 1;
    if (this.visited > MAX_EXPANDED_SCHEMAS) throw new Hazard('too_complex');
    if (!isObject(schema)) return;
    assertSelfContained(schema);
    for (const [keyword, inner] of Object.entries(schema)) this.measureKeyword(keyword, inner, openRefs);
  }

  private measureKeyword(keyword: string, inner: unknown, openRefs: readonly string[]): void {
    const kind = keywordKind(keyword);
    if (kind === undefined) throw new Hazard('unknown_keyword');
    if (keyword === 'pattern') this.measurePatterns([inner]);
    if (keyword === 'patternProperties' && isObject(inner)) this.measurePatterns(Object.keys(inner));
    if (kind === 'reference') this.follow(inner, openRefs);
    else if (kind === 'schema') this.measure(inner, openRefs);
    else if (kind === 'schemas' && Array.isArray(inner)) for (const one of inner) this.measure(one, openRefs);
    else if (kind === 'namedSchemas' && keyword !== '$defs' && isObject(inner))
      for (const one of Object.values(inner)) this.measure(one, openRefs);
  }

  private follow(ref: unknown, openRefs: readonly string[]): void {
    if (typeof ref !== 'string' || !LOCAL_REF.test(ref)) throw new Hazard('only_refs_to_own_defs');
    if (openRefs.includes(ref)) throw new Hazard('recursive');
    const name = ref.slice('#/$defs/'.length);
    if (!isObject(this.definitions) || !Object.hasOwn(this.definitions, name)) throw new Hazard('ref_to_nothing');
    this.measure(this.definitions[name], [...openRefs, ref]);
  }

  private measurePatterns(patterns: readonly unknown[]): void {
    for (const pattern of patterns) if (typeof pattern === 'string') this.patternSteps += stepsOf(pattern);
    if (this.patternSteps > MAX_PATTERN_STEPS) throw new Hazard('patterns_too_costly');
  }
}

/** What a pattern may cost per character of a text. */
function stepsOf(pattern: string): number {
  try {
    return RE2JS.compile(pattern).programSize();
  } catch {
    return 1; // no pattern at all: the compiler of schemas says so
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

import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { RE2JS } from 're2js';
import type { FieldProblem } from '../platform/errors/app-error.js';
import type { Redaction } from './redaction.js';
import { schemaHazards } from './schema-hazards.js';
import { payloadPath, sparedSchema, sparingKeywords } from './spared-schema.js';

const MAX_PROBLEMS = 20;
/** A longer text does not match any pattern: what has a pattern is a code, a number, a name. */
const MAX_PATTERNED_TEXT = 2_048;

export type PayloadCheck = (payload: unknown) => FieldProblem[];

/** Formats whose checks are linear in the text. */
const FORMATS = ['date-time', 'date', 'time', 'duration', 'uri', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'] as const;

interface LinearRegExp {
  test: (text: string) => boolean;
  toString: () => string;
}

/** Organisations write schemas, so their patterns run on an engine without backtracking. */
function linearRegExp(pattern: string): LinearRegExp {
  const compiled = compiledPattern(pattern);
  // Ajv takes patterns whose toString is the same for one and the same pattern.
  return {
    test: (text) => text.length <= MAX_PATTERNED_TEXT && compiled.matcher(text).find(),
    toString: () => pattern,
  };
}
linearRegExp.code = 'new RegExp'; // for Ajv's stand-alone code, which we do not make

function compiledPattern(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch {
    throw new BadSchema([{ path: 'schema', tag: 'pattern_not_supported' }]);
  }
}

export class BadSchema extends Error {
  constructor(readonly problems: readonly FieldProblem[]) {
    super(`the schema cannot be used: ${problems.map(({ path, tag }) => `${path} ${tag}`).join(', ')}`);
    this.name = 'BadSchema';
  }
}

/**
 * Compiles a JSON Schema 2020-12 once; throws `BadSchema` for what is no schema or could be made to run for ever. With a redaction
 * the check takes what that has already put in place of a value. It names the first problem: to look for all of them would let a
 * small schema and a small payload make millions.
 */
export function compilePayloadSchema(schema: object, redaction?: Redaction): PayloadCheck {
  const hazards = schemaHazards(schema);
  if (hazards.length > 0) throw new BadSchema(hazards);
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictRequired: false,
    strictTuples: false,
    code: { regExp: linearRegExp },
    logger: false,
  });
  ajvFormats.default(ajv, { mode: 'fast', formats: [...FORMATS] });
  if (ajv.validateSchema(schema) !== true) throw new BadSchema((ajv.errors ?? []).slice(0, MAX_PROBLEMS).map(placeOf));
  try {
    for (const keyword of redaction ? sparingKeywords(redaction) : []) ajv.addKeyword(keyword);
    const validate = ajv.compile(redaction ? sparedSchema(schema, redaction) : schema);
    return (payload) => (validate(payload) ? [] : problemsOf(validate.errors ?? []));
  } catch (error) {
    if (error instanceof BadSchema) throw error;
    const unknown = /unknown (keyword|format)/.exec(error instanceof Error ? error.message : '')?.[1];
    throw new BadSchema([{ path: 'schema', tag: unknown ? `unknown_${unknown}` : 'not_a_schema' }]);
  }
}

function placeOf({ instancePath }: ErrorObject): FieldProblem {
  return { path: `schema${instancePath.replaceAll('/', '.')}`.slice(0, 200), tag: 'not_a_schema' };
}

/** That a branch failed says nothing beside what failed in it. */
function problemsOf(errors: readonly ErrorObject[]): FieldProblem[] {
  return errors.filter(({ keyword }) => keyword !== 'if').map(problemOf);
}

function problemOf({ instancePath, keyword, params }: ErrorObject): FieldProblem {
  const missing = keyword === 'required' ? `.${String((params as { missingProperty?: unknown }).missingProperty)}` : '';
  return { path: `${payloadPath(instancePath)}${missing}`, tag: `schema_${keyword}` };
}

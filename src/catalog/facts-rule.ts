import type { FieldProblem } from '../platform/errors/app-error.js';

/** No-Free-Facts and deterministic numerics: what an event type demands of the figures in its payload. */
export interface FactsRule {
  /** `referenced_claim_ids` or `referenced_calc_ids` must name at least one. */
  references: 'required' | 'optional';
  /** Numeric fields that come with a sibling `<name>_claim_id` or `<name>_calc_id`, one of the referenced ids. */
  numerics: readonly string[];
}

const MAX_NUMERICS = 50;
const PATH = /^(?=.{1,200}$)[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)*$/;

type Fields = Readonly<Record<string, unknown>>;

/** What is wrong with a rule that somebody sent. */
export function factsRuleProblems({ references, numerics }: Fields): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (references !== 'required' && references !== 'optional')
    problems.push({ path: 'facts.references', tag: 'not_one_of' });
  if (!Array.isArray(numerics) || numerics.length > MAX_NUMERICS)
    return [...problems, { path: 'facts.numerics', tag: 'not_a_list' }];
  const bad = numerics.findIndex((path) => typeof path !== 'string' || !PATH.test(path));
  return bad === -1 ? problems : [...problems, { path: `facts.numerics.${bad}`, tag: 'not_a_path' }];
}

/** What both rules demand. */
export function mergedFacts(base: FactsRule | undefined, added: FactsRule | undefined): FactsRule | undefined {
  if (!base || !added) return base ?? added;
  const required = base.references === 'required' || added.references === 'required';
  return {
    references: required ? 'required' : 'optional',
    numerics: [...new Set([...base.numerics, ...added.numerics])],
  };
}

/** Where a payload states figures freely; empty when each stands on a claim or a calculation. */
export function factsProblems(payload: unknown, { references, numerics }: FactsRule): FieldProblem[] {
  const fields = isObject(payload) ? payload : {};
  const referenced = new Set([...idsIn(fields.referenced_claim_ids), ...idsIn(fields.referenced_calc_ids)]);
  const problems: FieldProblem[] = [];
  if (references === 'required' && referenced.size === 0) {
    problems.push({ path: 'payload.referenced_claim_ids', tag: 'reference_required' });
  }
  for (const path of numerics) problems.push(...numericProblems(fields, path, referenced));
  return problems;
}

function numericProblems(payload: Fields, path: string, referenced: ReadonlySet<string>): FieldProblem[] {
  const names = path.split('.');
  const name = names.pop() ?? '';
  const parent = names.reduce<unknown>((value, step) => (isObject(value) ? value[step] : undefined), payload);
  if (!isObject(parent) || parent[name] === undefined || parent[name] === null) return [];
  const source = parent[`${name}_claim_id`] ?? parent[`${name}_calc_id`];
  if (typeof source !== 'string' || source === '') return [{ path: `payload.${path}`, tag: 'number_without_source' }];
  return referenced.has(source) ? [] : [{ path: `payload.${path}`, tag: 'source_not_referenced' }];
}

function idsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((id): id is string => typeof id === 'string' && id !== '') : [];
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

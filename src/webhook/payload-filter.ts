import type { FieldProblem } from '../platform/errors/app-error.js';

/** Says of an event's payload whether it is wanted. Never throws: what has no answer is no. */
export type PayloadTest = (payload: unknown) => boolean;

type Scalar = string | number | boolean | null;

const MAX_DEPTH = 8;
const MAX_NODES = 64;
const MAX_LIST = 100;
const MAX_TEXT = 256;
const MAX_PATH = 200;
const INDEX = /^(0|[1-9]\d{0,5})$/;

interface Operation {
  problem: (operand: unknown) => string | undefined;
  /** The value is one that the payload has; `exists` alone is asked of what is not there. */
  test: (operand: never) => (value: unknown) => boolean;
}

/** Text by code unit, so that times of one form compare as times; a number and a text do not compare. */
function ordered(holds: (value: string | number, operand: string | number) => boolean): Operation {
  return {
    problem: (operand) =>
      typeof operand === 'number' ? undefined : typeof operand === 'string' ? textProblem(operand) : 'not_comparable',
    test: (operand: string | number) => (value) =>
      typeof value === typeof operand && holds(value as string | number, operand),
  };
}

const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['eq', { problem: scalarProblem, test: (operand: Scalar) => (value) => value === operand }],
  ['ne', { problem: scalarProblem, test: (operand: Scalar) => (value) => value !== operand }],
  ['gt', ordered((value, operand) => value > operand)],
  ['gte', ordered((value, operand) => value >= operand)],
  ['lt', ordered((value, operand) => value < operand)],
  ['lte', ordered((value, operand) => value <= operand)],
  [
    'in',
    {
      problem: listProblem,
      test: (operand: Scalar[]) => {
        const wanted = new Set<unknown>(operand);
        return (value) => wanted.has(value);
      },
    },
  ],
  [
    'starts_with',
    {
      problem: (operand) => (typeof operand === 'string' ? textProblem(operand) : 'not_text'),
      test: (operand: string) => (value) => typeof value === 'string' && value.startsWith(operand),
    },
  ],
]);
const EXISTS = 'exists';

/** What is wrong with a payload filter that somebody wants; `path` is where it stands in the body. */
export function payloadFilterProblems(filter: unknown, path: string): FieldProblem[] {
  const look = { nodes: 0, problems: [] as FieldProblem[] };
  inspect(filter, path, 1, look);
  return look.problems;
}

/** Of a filter without problems. */
export function compilePayloadFilter(filter: unknown): PayloadTest {
  const node = filter as Record<string, unknown>;
  if (Array.isArray(node.and)) {
    const all = node.and.map(compilePayloadFilter);
    return (payload) => all.every((test) => test(payload));
  }
  if (Array.isArray(node.or)) {
    const any = node.or.map(compilePayloadFilter);
    return (payload) => any.some((test) => test(payload));
  }
  if (Object.hasOwn(node, 'not')) {
    const refused = compilePayloadFilter(node.not);
    return (payload) => !refused(payload);
  }
  return compileCondition(node);
}

function compileCondition(node: Readonly<Record<string, unknown>>): PayloadTest {
  const names = String(node.field).split('.');
  if (Object.hasOwn(node, EXISTS)) return (payload) => (valueAt(payload, names) !== undefined) === node[EXISTS];
  const name = Object.keys(node).find((key) => OPERATIONS.has(key)) ?? '';
  const holds = OPERATIONS.get(name)?.test(node[name] as never);
  if (!holds) return () => false;
  return (payload) => {
    const value = valueAt(payload, names);
    return value !== undefined && holds(value);
  };
}

/** JSON has no undefined: that is what is not there. Only what the payload itself has counts, nothing inherited. */
function valueAt(payload: unknown, names: readonly string[]): unknown {
  let value = payload;
  for (const name of names) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    if (Array.isArray(value) && !INDEX.test(name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

interface Look {
  nodes: number;
  problems: FieldProblem[];
}

function inspect(node: unknown, path: string, depth: number, look: Look): void {
  const problem = (tag: string, at = path): void => void look.problems.push({ path: at.slice(0, MAX_PATH), tag });
  look.nodes += 1;
  if (look.nodes > MAX_NODES) {
    if (look.nodes === MAX_NODES + 1) problem('too_many_conditions');
    return;
  }
  if (depth > MAX_DEPTH) return problem('too_deep');
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return problem('not_a_condition');
  const keys = Object.keys(node);
  const group = keys.find((key) => key === 'and' || key === 'or' || key === 'not');
  if (group === undefined) return inspectCondition(node as Record<string, unknown>, path, problem);
  if (keys.length > 1) return problem('one_of_and_or_not');
  const inner = (node as Record<string, unknown>)[group];
  if (group === 'not') return inspect(inner, `${path}.not`, depth + 1, look);
  if (!Array.isArray(inner)) return problem('not_a_list', `${path}.${group}`);
  if (inner.length === 0) return problem('empty', `${path}.${group}`);
  for (const [i, item] of inner.entries()) inspect(item, `${path}.${group}.${i}`, depth + 1, look);
}

function inspectCondition(
  node: Readonly<Record<string, unknown>>,
  path: string,
  problem: (tag: string, at?: string) => void,
): void {
  const { field, ...rest } = node;
  const names = Object.keys(rest);
  const unknown = names.find((name) => name !== EXISTS && !OPERATIONS.has(name));
  if (typeof field !== 'string') problem('not_text', `${path}.field`);
  else if (field.length > MAX_TEXT) problem('too_long', `${path}.field`);
  else if (field.split('.').includes('')) problem('not_a_field', `${path}.field`);
  if (unknown !== undefined) return problem('unknown_operation', `${path}.${unknown}`);
  const [name, ...more] = names;
  if (name === undefined || more.length > 0) return problem('one_operation');
  const operand = rest[name];
  const tag =
    name === EXISTS
      ? typeof operand === 'boolean'
        ? undefined
        : 'not_a_boolean'
      : OPERATIONS.get(name)?.problem(operand);
  if (tag !== undefined) problem(tag, `${path}.${name}`);
}

function textProblem(text: string): string | undefined {
  return text.length > MAX_TEXT ? 'too_long' : undefined;
}

function scalarProblem(operand: unknown): string | undefined {
  if (typeof operand === 'string') return textProblem(operand);
  return operand === null || typeof operand === 'number' || typeof operand === 'boolean' ? undefined : 'not_a_scalar';
}

function listProblem(operand: unknown): string | undefined {
  if (!Array.isArray(operand)) return 'not_a_list';
  if (operand.length === 0) return 'empty';
  if (operand.length > MAX_LIST) return 'too_many';
  return operand.map(scalarProblem).find((problem) => problem !== undefined);
}

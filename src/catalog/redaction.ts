import type { RedactionMode, RedactionRules } from './redaction-rules.js';

/** What a masked value becomes. */
export const MASK = '[masked]';
const HASH = /^ipm-hash:[A-Za-z0-9_-]{43}$/;

export type ValueHash = (text: string) => Buffer;

interface Step {
  name: string;
  /** `name[]`: every element of the list. */
  each: boolean;
}

interface Rule {
  steps: readonly Step[];
  /** Its names, joined. */
  fields: string;
  mode: RedactionMode;
}

/** The rules of one event type, taken apart once. */
export class Redaction {
  private readonly parsed: readonly Rule[];

  constructor(readonly rules: RedactionRules) {
    this.parsed = Object.entries(rules).map(([path, mode]) => {
      const steps = stepsOf(path);
      return { steps, fields: steps.map(({ name }) => name).join('.'), mode };
    });
  }

  /** The payload without what must not be seen; the one given is not touched. Redacted once more, it stays the same. */
  apply(payload: unknown, hash: ValueHash): unknown {
    return this.parsed.reduce((value, { steps, mode }) => redacted(value, steps, mode, hash), payload);
  }

  /** Whether a problem that a schema has with the payload is only that the value is redacted already, or has been dropped. */
  explains(problemPath: string, payload: unknown): boolean {
    const names: string[] = [];
    let value = payload;
    for (const name of problemPath.split('.').slice(1)) {
      if (!Array.isArray(value)) names.push(name);
      value = propertyOf(value, name);
    }
    const path = names.join('.');
    return this.parsed.some(
      ({ fields, mode }) => fields === path && (mode === 'drop' ? value === undefined : isRedacted(value)),
    );
  }
}

function stepsOf(path: string): Step[] {
  return path.split('.').map((part) => ({ name: part.replace(/\[\]$/, ''), each: part.endsWith('[]') }));
}

/** Goes into every list, also where the rule has none: what breaks its schema is stored too, where the level is `warn`. */
function redacted(value: unknown, steps: readonly Step[], mode: RedactionMode, hash: ValueHash): unknown {
  if (Array.isArray(value)) return value.map((item) => redacted(item, steps, mode, hash));
  const [step, ...rest] = steps;
  if (!step || !isObject(value) || !Object.hasOwn(value, step.name)) return value;
  const inner = value[step.name];
  const copy = { ...value };
  if (rest.length > 0) copy[step.name] = redacted(inner, rest, mode, hash);
  else if (step.each && Array.isArray(inner)) copy[step.name] = redactedItems(inner, mode, hash);
  else if (mode !== 'drop') copy[step.name] = redactedValue(inner, mode, hash);
  else if (!step.each || !isRedacted(inner)) Reflect.deleteProperty(copy, step.name); // the mark of another rule stays
  return copy;
}

function redactedItems(items: readonly unknown[], mode: RedactionMode, hash: ValueHash): unknown[] {
  return mode === 'drop' ? [] : items.map((item) => redactedValue(item, mode, hash));
}

/** Nothing stays nothing; what is redacted already stays as it is, so that what was exported can be imported again. */
function redactedValue(value: unknown, mode: 'mask' | 'hash', hash: ValueHash): unknown {
  if (value === null || value === undefined || isRedacted(value)) return value;
  return mode === 'mask' ? MASK : `ipm-hash:${hash(canonical(value)).toString('base64url')}`;
}

export function isRedacted(value: unknown): boolean {
  return typeof value === 'string' && (value === MASK || HASH.test(value));
}

/** Equal values have equal hashes, whatever the order of their fields. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}

function propertyOf(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return value[Number(name)] as unknown;
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

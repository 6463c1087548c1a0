import type { FieldProblem } from '../platform/errors/app-error.js';

/** Weakest first: a hash still tells which values are equal, a mask that there was one, a dropped field nothing. */
export const REDACTION_MODES = ['hash', 'mask', 'drop'] as const;
export type RedactionMode = (typeof REDACTION_MODES)[number];

/** Path in the payload to mode; `lines[].note` is the note of every line. */
export type RedactionRules = Readonly<Record<string, RedactionMode>>;

const MAX_RULES = 100;
const PATH = /^(?=.{1,200}$)[A-Za-z_][A-Za-z0-9_-]*(\[\])?(\.[A-Za-z_][A-Za-z0-9_-]*(\[\])?)*$/;

/** What is wrong with rules that somebody sent. */
export function redactionProblems(rules: Readonly<Record<string, unknown>>): FieldProblem[] {
  const entries = Object.entries(rules);
  if (entries.length > MAX_RULES) return [{ path: 'redaction', tag: 'too_many' }];
  return entries.flatMap(([path, mode]): FieldProblem[] => {
    if (!PATH.test(path)) return [{ path: `redaction.${path}`.slice(0, 200), tag: 'not_a_path' }];
    return REDACTION_MODES.includes(mode as RedactionMode) ? [] : [{ path: `redaction.${path}`, tag: 'not_one_of' }];
  });
}

/** Both sets of rules; where both name a path, the stronger one. */
export function mergedRedaction(base: RedactionRules, added: RedactionRules): RedactionRules {
  const merged: Record<string, RedactionMode> = { ...base };
  for (const [path, mode] of Object.entries(added)) {
    const present = merged[path];
    merged[path] = present && isWeakerMode(mode, present) ? present : mode;
  }
  return merged;
}

/** Paths that `added` would redact less than `base` does. */
export function loosenedPaths(base: RedactionRules, added: RedactionRules): string[] {
  return Object.entries(added)
    .filter(([path, mode]) => {
      const present = base[path];
      return present !== undefined && isWeakerMode(mode, present);
    })
    .map(([path]) => path);
}

function isWeakerMode(mode: RedactionMode, than: RedactionMode): boolean {
  return REDACTION_MODES.indexOf(mode) < REDACTION_MODES.indexOf(than);
}

import type { FactsRule } from './facts-rule.js';
import type { RedactionRules } from './redaction-rules.js';

/** Weakest first: what happens to an event that breaks its type's rules. */
export const VALIDATION_LEVELS = ['off', 'warn', 'enforce'] as const;
export type ValidationLevel = (typeof VALIDATION_LEVELS)[number];

export const SERVICE_NAME = /^[a-z][a-z0-9_]{0,31}$/;
export const ACTION_NAME = /^(?=.{1,96}$)[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$/;
/** One way to write a version, so that two texts are never the same version. */
export const SCHEMA_VERSION = /^(0|[1-9]\d{0,3})\.(0|[1-9]\d{0,3})$/;

/** The services whose events are made by IPM alone. */
export const OWN_SERVICE = 'ipm';

export interface EventTypeDefinition {
  service: string;
  action: string;
  schemaVersion: string;
  description?: string | undefined;
  validation: ValidationLevel;
  /** JSON Schema 2020-12 of the event's payload. */
  schema: object;
  redaction: RedactionRules;
  facts?: FactsRule | undefined;
  /** A whole event as it would be published. */
  specimen?: Specimen | undefined;
}

export interface Specimen {
  payload?: unknown;
  [field: string]: unknown;
}

export type EventTypeOrigin = 'builtin' | 'organisation';

export function compareVersions(a: string, b: string): number {
  const [aMajor = 0, aMinor = 0] = versionOrder(a);
  const [bMajor = 0, bMinor = 0] = versionOrder(b);
  return aMajor - bMajor || aMinor - bMinor;
}

export function versionOrder(version: string): number[] {
  return version.split('.').map(Number);
}

export function isWeaker(level: ValidationLevel, than: ValidationLevel): boolean {
  return VALIDATION_LEVELS.indexOf(level) < VALIDATION_LEVELS.indexOf(than);
}

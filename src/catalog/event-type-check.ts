import { LRUCache } from 'lru-cache';
import type { FieldProblem } from '../platform/errors/app-error.js';
import type { EventTypeDefinition, ValidationLevel } from './event-type.js';
import { factsProblems, type FactsRule } from './facts-rule.js';
import { compilePayloadSchema, type PayloadCheck } from './payload-schema.js';
import { Redaction } from './redaction.js';

/** Why an event is stored with a flag, as its type's level `warn` has it. */
export const EVENT_FLAGS = ['not_in_catalog', 'schema_version_unknown', 'breaks_schema', 'breaks_facts'] as const;
export type EventFlag = (typeof EVENT_FLAGS)[number];

export interface PayloadVerdict {
  flags: EventFlag[];
  problems: FieldProblem[];
}

const FINE: PayloadVerdict = { flags: [], problems: [] };

const MAX_VERSIONS = 100;
/** Versions that do not exist are named by whoever publishes: they must not push out those that do. */
const MAX_UNKNOWN_VERSIONS = 100;

/** One event type made ready: what is compiled is compiled once. Level, facts and redaction are those of the newest version. */
export class EventTypeCheck {
  readonly level: ValidationLevel;
  readonly redaction: Redaction;
  private readonly facts: FactsRule | undefined;
  private readonly newest: PayloadCheck;
  private readonly newestVersion: string;
  private readonly others = new LRUCache<string, PayloadCheck>({ max: MAX_VERSIONS });
  private readonly unknown = new LRUCache<string, true>({ max: MAX_UNKNOWN_VERSIONS });

  constructor(newest: EventTypeDefinition, others: readonly EventTypeDefinition[] = []) {
    this.level = newest.validation;
    this.redaction = new Redaction(newest.redaction);
    this.facts = newest.facts;
    this.newest = newest.validation === 'off' ? () => [] : compilePayloadSchema(newest.schema, this.redaction);
    this.newestVersion = newest.schemaVersion;
    for (const version of others) this.learn(version.schemaVersion, version);
  }

  knows(schemaVersion: string): boolean {
    return schemaVersion === this.newestVersion || this.others.has(schemaVersion) || this.unknown.has(schemaVersion);
  }

  learn(schemaVersion: string, version: EventTypeDefinition | undefined): void {
    if (version) this.others.set(schemaVersion, compilePayloadSchema(version.schema, this.redaction));
    else this.unknown.set(schemaVersion, true);
  }

  judge(payload: unknown, schemaVersion: string | undefined): PayloadVerdict {
    if (this.level === 'off') return FINE;
    const isNewest = schemaVersion === undefined || schemaVersion === this.newestVersion;
    const named = isNewest ? this.newest : this.others.get(schemaVersion);
    const shape = (named ?? this.newest)(payload);
    const facts = this.facts ? factsProblems(payload, this.facts) : [];
    if (named && shape.length === 0 && facts.length === 0) return FINE;
    const flags: EventFlag[] = [];
    if (!named) flags.push('schema_version_unknown');
    if (shape.length > 0) flags.push('breaks_schema');
    if (facts.length > 0) flags.push('breaks_facts');
    const unknown = named ? [] : [{ path: 'schema_version', tag: 'unknown' }];
    return { flags, problems: [...unknown, ...shape, ...facts] };
  }
}

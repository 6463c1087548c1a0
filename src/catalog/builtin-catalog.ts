import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Injectable } from '@nestjs/common';
import { parse } from 'yaml';
import { compareVersions, OWN_SERVICE, type EventTypeDefinition, type ValidationLevel } from './event-type.js';
import type { FactsRule } from './facts-rule.js';
import type { RedactionRules } from './redaction-rules.js';

/** The shape of something on the wire, with an example of it. */
export interface ShapeDefinition {
  name: string;
  description: string;
  specimen: object;
  /** JSON Schema with its version, for shapes that others validate. */
  schema?: object;
  schema_version?: string;
}

/** A file of `catalog/events`, as catalog/README.md describes it. */
interface EventTypeFile {
  service: string;
  action: string;
  schema_version: string;
  description?: string;
  validation?: ValidationLevel;
  schema: object;
  redaction?: RedactionRules;
  facts?: FactsRule;
  specimen?: { payload?: unknown };
}

const CATALOG_FOLDER = fileURLToPath(new URL('../../catalog', import.meta.url));

/** The catalog that comes with the product: every organisation has it. Ordered by service, action and version. */
@Injectable()
export class BuiltinCatalog {
  readonly eventTypes: readonly EventTypeDefinition[];
  readonly shapes: ReadonlyMap<string, ShapeDefinition>;
  private readonly newest = new Map<string, EventTypeDefinition>();

  constructor() {
    this.eventTypes = yamlFiles(path.join(CATALOG_FOLDER, 'events'))
      .map((file) => fromFile(parse(readFileSync(file, 'utf8')) as EventTypeFile))
      .sort(byName);
    for (const type of this.eventTypes) this.newest.set(`${type.service} ${type.action}`, type);
    const shapes = yamlFiles(path.join(CATALOG_FOLDER, 'shapes')).map(
      (file) => parse(readFileSync(file, 'utf8')) as ShapeDefinition,
    );
    this.shapes = new Map(shapes.map((shape) => [shape.name, shape]));
  }

  /** The newest version of each type, by name. */
  newestTypes(): EventTypeDefinition[] {
    return [...this.newest.values()];
  }

  findNewest(service: string, action: string): EventTypeDefinition | undefined {
    return this.newest.get(`${service} ${action}`);
  }

  versionsOf(service: string, action: string): EventTypeDefinition[] {
    return this.eventTypes.filter((type) => type.service === service && type.action === action);
  }

  /** A shape's schema is found like an event type's, as if it were one of IPM's own. */
  shapeSchema(
    { service, action }: { service: string; action: string },
    version: string,
  ): EventTypeDefinition | undefined {
    const shape = service === OWN_SERVICE ? this.shapes.get(action) : undefined;
    if (!shape?.schema || shape.schema_version !== version) return undefined;
    return {
      service,
      action,
      schemaVersion: version,
      description: shape.description,
      validation: 'off',
      schema: shape.schema,
      redaction: {},
    };
  }

  find(service: string, action: string, version: string): EventTypeDefinition | undefined {
    return this.eventTypes.find(
      (type) => type.service === service && type.action === action && type.schemaVersion === version,
    );
  }
}

function fromFile(file: EventTypeFile): EventTypeDefinition {
  return {
    service: file.service,
    action: file.action,
    schemaVersion: file.schema_version,
    description: file.description,
    validation: file.validation ?? 'warn',
    schema: file.schema,
    redaction: file.redaction ?? {},
    facts: file.facts && { references: file.facts.references ?? 'optional', numerics: file.facts.numerics ?? [] },
    specimen: file.specimen,
  };
}

function yamlFiles(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.yaml')).map((name) => path.join(folder, name));
}

function byName(a: EventTypeDefinition, b: EventTypeDefinition): number {
  if (a.service !== b.service) return a.service < b.service ? -1 : 1;
  if (a.action !== b.action) return a.action < b.action ? -1 : 1;
  return compareVersions(a.schemaVersion, b.schemaVersion);
}

import type { EventCatalogEntry, EventTypeSchema, EventTypeShape } from './catalog.dto.js';
import type { EventTypeDefinition, EventTypeOrigin } from './event-type.js';

function schemaUrl(publicUrl: string, { service, action, schemaVersion }: EventTypeDefinition): string {
  return `${publicUrl}/ipm/schema/${service}/${action}/${schemaVersion}`;
}

export function entryToWire(publicUrl: string, type: EventTypeDefinition, origin: EventTypeOrigin): EventCatalogEntry {
  return {
    service: type.service,
    action: type.action,
    schema_url: schemaUrl(publicUrl, type),
    schema_version: type.schemaVersion,
    redaction: type.redaction,
    ...(type.description === undefined ? {} : { description: type.description }),
    validation: type.validation,
    origin,
  };
}

export function schemaToWire({
  service,
  action,
  schemaVersion,
  schema,
  redaction,
}: EventTypeDefinition): EventTypeSchema {
  return { service, action, schema_version: schemaVersion, schema, redaction };
}

export function definitionFromWire(shape: EventTypeShape): EventTypeDefinition {
  return {
    service: shape.service,
    action: shape.action,
    schemaVersion: shape.schema_version,
    description: shape.description,
    validation: shape.validation ?? 'warn',
    schema: shape.schema,
    redaction: shape.redaction ?? {},
    facts: shape.facts && { references: shape.facts.references ?? 'optional', numerics: shape.facts.numerics ?? [] },
    specimen: shape.specimen as EventTypeDefinition['specimen'],
  };
}

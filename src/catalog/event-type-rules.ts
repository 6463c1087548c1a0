import type { FieldProblem } from '../platform/errors/app-error.js';
import {
  ACTION_NAME,
  compareVersions,
  isWeaker,
  SCHEMA_VERSION,
  SERVICE_NAME,
  type EventTypeDefinition,
} from './event-type.js';
import { factsProblems, factsRuleProblems, mergedFacts } from './facts-rule.js';
import { BadSchema, compilePayloadSchema } from './payload-schema.js';
import { bothSchemas } from './schema-conjunction.js';
import { loosenedPaths, mergedRedaction, redactionProblems } from './redaction-rules.js';

const MAX_SPECIMEN_BYTES = 16 * 1024;

/** What is wrong with an event type, its specimen included; empty when it can be used. */
export function eventTypeProblems(type: EventTypeDefinition): FieldProblem[] {
  const shape = [
    ...nameProblems(type),
    ...redactionProblems(type.redaction),
    ...(type.facts ? factsRuleProblems({ ...type.facts }) : []),
  ];
  return shape.length > 0 ? shape : schemaAndSpecimenProblems(type);
}

function nameProblems({ service, action, schemaVersion }: EventTypeDefinition): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (!SERVICE_NAME.test(service)) problems.push({ path: 'service', tag: 'not_a_service_name' });
  if (!ACTION_NAME.test(action)) problems.push({ path: 'action', tag: 'not_an_action_name' });
  if (!SCHEMA_VERSION.test(schemaVersion)) problems.push({ path: 'schema_version', tag: 'not_a_version' });
  return problems;
}

function schemaAndSpecimenProblems({ service, action, schema, specimen, facts }: EventTypeDefinition): FieldProblem[] {
  try {
    const check = compilePayloadSchema(schema);
    if (!specimen) return [];
    if (JSON.stringify(specimen).length > MAX_SPECIMEN_BYTES) return [{ path: 'specimen', tag: 'too_large' }];
    const { payload } = specimen;
    const misnamed = (specimen.service ?? service) !== service || (specimen.action ?? action) !== action;
    const problems = [...check(payload), ...(facts ? factsProblems(payload, facts) : [])];
    const inSpecimen = problems.map(({ path, tag }) => ({ path: `specimen.${path}`, tag }));
    return misnamed ? [{ path: 'specimen', tag: 'of_another_type' }, ...inSpecimen] : inSpecimen;
  } catch (error) {
    if (error instanceof BadSchema) return [...error.problems];
    throw error;
  }
}

/** Where `added` asks less of a built-in type than the product does. */
export function looseningProblems(builtin: EventTypeDefinition, added: EventTypeDefinition): FieldProblem[] {
  const level: FieldProblem[] = isWeaker(added.validation, builtin.validation)
    ? [{ path: 'validation', tag: 'weaker' }]
    : [];
  const paths = loosenedPaths(builtin.redaction, added.redaction).map((path) => ({
    path: `redaction.${path}`,
    tag: 'weaker',
  }));
  const older = compareVersions(added.schemaVersion, builtin.schemaVersion) < 0;
  const version: FieldProblem[] = older ? [{ path: 'schema_version', tag: 'older_than_builtin' }] : [];
  return [...version, ...level, ...paths];
}

/** What holds for an organisation that registered a version of a built-in type: both, and what it left out stays. */
export function tightened(builtin: EventTypeDefinition, added: EventTypeDefinition): EventTypeDefinition {
  return {
    ...added,
    redaction: mergedRedaction(builtin.redaction, added.redaction),
    facts: mergedFacts(builtin.facts, added.facts),
    specimen: added.specimen ?? builtin.specimen,
    schema: bothSchemas(builtin.schema, added.schema),
  };
}

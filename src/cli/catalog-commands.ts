import { isDeepStrictEqual } from 'node:util';
import type { Command } from 'commander';
import { OrganisationService } from '../access/organisation.service.js';
import { EventTypeRegisterRequest, type EventTypeShape } from '../catalog/catalog.dto.js';
import { definitionFromWire } from '../catalog/catalog.mapper.js';
import { CatalogModule } from '../catalog/catalog.module.js';
import { CatalogService } from '../catalog/catalog.service.js';
import { AppError, type FieldProblem } from '../platform/errors/app-error.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import { assertStorable } from '../platform/http/body-hygiene.js';
import { readCatalogFile } from './catalog-file.js';
import { EXIT, failureOf } from './failure.js';
import { operator, withServices, writeRequest, type Services } from './operator.js';
import { examples, orgOption, reasonOption, whenRun } from './options.js';
import { table, type CommandResult } from './output.js';

interface ApplyOptions {
  org: string;
  reason: string;
}

interface AppliedType {
  service: string;
  action: string;
  schema_version: string;
  result: 'registered' | 'unchanged' | 'refused';
  error_code?: string;
  message?: string;
  fields?: readonly FieldProblem[];
}

const RESULTS: Readonly<Record<AppliedType['result'], string>> = {
  registered: 'registered',
  unchanged: 'already there and the same',
  refused: 'refused',
};

export function addCatalogCommands(catalog: Command): void {
  const apply = catalog
    .command('apply')
    .description('register the event types of a YAML file: one type, a list of them, or several documents')
    .argument('<file>', 'in the format of catalog/README.md')
    .addOption(orgOption('whose catalog'))
    .addOption(reasonOption())
    .addHelpText(
      'after',
      `${examples('$ ipm catalog apply order-types.yaml --org acme')}

It can be applied again: types that are there and the same are left alone. A version never changes once registered.`,
    );
  whenRun(apply, applyFile);
}

async function applyFile({ org, reason }: ApplyOptions, file = ''): Promise<CommandResult> {
  const types = readCatalogFile(file);
  const applied = await withServices(
    async (services) => {
      await services.get(OrganisationService).get(org);
      const results: AppliedType[] = [];
      for (const type of types) results.push(await applyType(services, org, reason, type));
      return results;
    },
    [CatalogModule],
  );
  const refused = applied.some(({ result }) => result === 'refused');
  return { document: { orgcode: org, types: applied }, text: textOf(applied), exitCode: refused ? 1 : 0 };
}

async function applyType(
  services: Services,
  org: string,
  reason: string,
  given: Record<string, unknown>,
): Promise<AppliedType> {
  const { service, action, schema_version } = given;
  const name = { service: String(service), action: String(action), schema_version: String(schema_version) };
  try {
    const caller = operator(org, 'event/catalog/register');
    assertStorable(given);
    const request = writeRequest(EventTypeRegisterRequest, caller, reason, { event_type: given });
    assertNothingUnknown(given, request.event_type);
    if (await isThereAlready(services, org, request.event_type)) return { ...name, result: 'unchanged' };
    await services.get(CatalogService).register(caller, request);
    return { ...name, result: 'registered' };
  } catch (error) {
    const { exitCode, tag, message, fields } = failureOf(error);
    if (exitCode === EXIT.unreachable || tag === 'unexpected') throw error;
    return { ...name, result: 'refused', error_code: tag, message, ...(fields ? { fields } : {}) };
  }
}

/** Over HTTP unknown fields are left out; a misspelt one in a file that somebody keeps is worth a word. */
function assertNothingUnknown(given: Record<string, unknown>, understood: EventTypeShape): void {
  const unknown = Object.keys(given).filter((field) => given[field] !== null && !(field in understood));
  const fields = unknown.map((field) => ({ path: `event_type.${field}`, tag: 'unknown' }));
  if (fields.length > 0) throw new AppError(platformErrors.requestInvalid, { fields });
}

async function isThereAlready(services: Services, org: string, given: EventTypeShape): Promise<boolean> {
  const definition = definitionFromWire(given);
  const present = await services.get(CatalogService).findAsGiven(org, definition, definition.schemaVersion);
  return present !== undefined && isDeepStrictEqual(asJson(present), asJson(definition));
}

function asJson(value: object): unknown {
  return JSON.parse(JSON.stringify(value));
}

function textOf(applied: readonly AppliedType[]): string {
  const rows = applied.map(({ service, action, schema_version, result }) => [
    `${service}.${action}`,
    schema_version,
    RESULTS[result],
  ]);
  const refusals = applied.flatMap(({ service, action, schema_version, message, fields = [] }) =>
    message === undefined
      ? []
      : [
          '',
          `${service}.${action} ${schema_version}: ${message}`,
          ...fields.map(({ path, tag }) => `  ${path}: ${tag}`),
        ],
  );
  return [table(['EVENT TYPE', 'VERSION', 'RESULT'], rows), ...refusals].join('\n');
}

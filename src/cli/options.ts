import { InvalidArgumentError, Option, type Command } from 'commander';
import { isRole, type Role } from '../platform/http/roles.js';
import { parseUtcTime } from '../platform/http/utc-time.js';
import { print, type CommandResult } from './output.js';

// Every flag and operand that more than one command takes, once.

export interface CommonOptions {
  json?: true;
  verbose?: true;
}

/** The flags of all commands; they may stand before or after the command's name. */
export function addCommonOptions(program: Command): void {
  program
    .option('--json', 'print one JSON document on stdout, and nothing else there')
    .option('--verbose', 'with an error, print where it came from');
}

/** Runs `work` with the command's operands and flags, prints its result, if it has not printed by itself, and keeps its exit code. */
export function whenRun<Options>(
  command: Command,
  work: (options: Options & CommonOptions, ...operands: string[]) => Promise<CommandResult | undefined>,
): void {
  command.action(async function (this: Command) {
    const options: Options & CommonOptions = this.optsWithGlobals();
    const result = await work(options, ...(this.processedArgs as string[]));
    if (result) print(result, options.json === true);
    process.exitCode = result?.exitCode ?? 0;
  });
}

export function orgOption(description: string, { mandatory = true } = {}): Option {
  return new Option('--org <orgcode>', description).argParser(parseOrgcode).makeOptionMandatory(mandatory);
}

export function reasonOption(): Option {
  return new Option('--reason <text>', 'why, for the audit').default('asked for on the command line');
}

export function parseOrgcode(text: string): string {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError('An organisation code is 1 to 64 of letters, digits, _ and -.');
}

const SHORT_ROLES: Readonly<Record<string, Role>> = {
  view: 'integration_view',
  service: 'integration_service',
  admin: 'integration_admin',
};
export const ROLE_NAMES = 'view, service, admin, owner or auditor';

/** Given more than once, they add up. */
export function collectRoles(text: string, earlier: readonly Role[] = []): Role[] {
  const role = SHORT_ROLES[text] ?? text;
  if (!isRole(role)) throw new InvalidArgumentError(`A role is ${ROLE_NAMES}.`);
  return [...new Set([...earlier, role])];
}

export function parseFutureTime(text: string): string {
  const time = parseUtcTime(text);
  if (time === undefined) {
    throw new InvalidArgumentError('A time is written as 2027-01-31T00:00:00Z, with Z or an offset such as +01:00.');
  }
  if (time.getTime() <= Date.now()) throw new InvalidArgumentError('It must lie in the future.');
  return text;
}

/** Indented below the flags; `$` marks what is typed. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

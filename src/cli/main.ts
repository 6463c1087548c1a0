import 'reflect-metadata';
import { Command, CommanderError } from 'commander';
import { buildInfo } from '../platform/config/build-info.js';
import { EXIT, failureOf, type ExitCode } from './failure.js';
import { addCommonOptions } from './options.js';
import { printFailure } from './output.js';

interface CommandRoom {
  name: string;
  description: string;
  /** Adds operands, flags and subcommands. Loaded for the one that runs: all of them take most of a second. */
  load: () => Promise<(command: Command) => void>;
}

const ROOMS: readonly CommandRoom[] = [
  {
    name: 'key',
    description: 'make, list and revoke API keys',
    load: async () => (await import('./key-commands.js')).addKeyCommands,
  },
  {
    name: 'org',
    description: 'list organisations, show and change their settings',
    load: async () => (await import('./org-commands.js')).addOrgCommands,
  },
  {
    name: 'audit',
    description: 'check the audit trail',
    load: async () => (await import('./audit-commands.js')).addAuditCommands,
  },
  {
    name: 'catalog',
    description: 'extend the catalog of an organisation',
    load: async () => (await import('./catalog-commands.js')).addCatalogCommands,
  },
  {
    name: 'event',
    description: 'publish events from a file, watch the log of an organisation',
    load: async () => (await import('./event-commands.js')).addEventCommands,
  },
  {
    name: 'import',
    description: 'bring the events of a file of any size into the log, through a worker',
    load: async () => (await import('./bulk-commands.js')).addImportCommand,
  },
  {
    name: 'export',
    description: 'write events of the log into a file',
    load: async () => (await import('./bulk-commands.js')).addExportCommand,
  },
  {
    name: 'webhook',
    description: 'send events to a server on your machine while you write it',
    load: async () => (await import('./webhook-commands.js')).addWebhookCommands,
  },
  {
    name: 'migrate',
    description: 'apply the migrations that the database lacks, and prepare what serving needs',
    load: async () => (await import('./migrate-command.js')).addMigrateCommand,
  },
  {
    name: 'epoch',
    description: 'begin a new life of the database after a restore',
    load: async () => (await import('./epoch-commands.js')).addEpochCommands,
  },
  {
    name: 'doctor',
    description: 'examine configuration, stores and clocks; works also while a store is away',
    load: async () => (await import('./doctor-command.js')).addDoctorCommand,
  },
];

const ABOUT = `
Works on the stores of the environment (DATABASE_URL and what .env.example names beside it) or, where DATABASE_URL is not
set, of the stack that npm start runs.

Exit codes: 0 done, 1 refused or found wrong, 2 wrong usage or configuration, 3 a store does not answer.`;

async function ipm(args: readonly string[]): Promise<Command> {
  const program = new Command('ipm');
  program.description(
    'Operates an installation of IPM: organisations, keys, audit, catalog, events, imports and exports, webhooks, migrations.',
  );
  program.version(`${buildInfo.build_major}.${buildInfo.build_minor} (${buildInfo.build_id})`);
  addCommonOptions(program);
  program.addHelpText('after', ABOUT);
  // Commands take these over when they are made: they stand before the first one.
  program.exitOverride().configureHelp({ showGlobalOptions: true }).showHelpAfterError('(--help says what it takes)');
  const asked = args.filter((arg) => !arg.startsWith('-') && arg !== 'help')[0];
  for (const { name, description, load } of ROOMS) {
    const command = program.command(name).description(description);
    if (name === asked) (await load())(command);
  }
  return program;
}

async function run(args: readonly string[]): Promise<void> {
  const asJson = args.includes('--json');
  try {
    await (await ipm(args)).parseAsync(args, { from: 'user' });
  } catch (error) {
    process.exitCode = error instanceof CommanderError ? usageExitCode(error, asJson) : fail(error, asJson);
    if (args.includes('--verbose') && process.exitCode !== 0) printOrigin(error);
  }
}

/** Commander has written its sentence already. */
function usageExitCode({ exitCode, message }: CommanderError, asJson: boolean): ExitCode {
  if (exitCode === 0) return EXIT.done; // --help and --version
  if (asJson) process.stdout.write(`${JSON.stringify({ error: { error_code: 'wrong_usage', message } }, null, 2)}\n`);
  return EXIT.wrongUsage;
}

function fail(error: unknown, asJson: boolean): ExitCode {
  const failure = failureOf(error);
  printFailure(failure, asJson);
  return failure.exitCode;
}

function printOrigin(error: unknown): void {
  for (let layer = error; layer instanceof Error; layer = layer.cause) process.stderr.write(`${layer.stack}\n`);
}

/** Leaves when both streams are through, whatever a store's client still holds open. */
async function leave(): Promise<never> {
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((resolve) => stream.write('', () => resolve()));
  }
  process.exit();
}

// A reader that has seen enough (`ipm key list | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.refused),
);

// What libraries tell developers (the AWS SDK of Node's age) is not for who operates.
if (!process.argv.includes('--verbose')) process.removeAllListeners('warning');

await run(process.argv.slice(2));
await leave();

import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import pg from 'pg';
import { projectFolder } from '../local/data-folder.js';
import { ensureSecretsFile } from '../platform/config/secrets-file.js';
import { migrate } from '../platform/database/migrate.js';
import { CommandFailure, EXIT } from './failure.js';
import { examples, whenRun } from './options.js';
import { facts, type CommandResult } from './output.js';
import { assertPostgresUrl, connectionProblem } from './postgres-address.js';
import { ensureServingLogin, type ServingLogin } from './serving-login.js';
import { connectionEnvironment } from './stack-connection.js';

export const migrationsFolder = path.join(projectFolder, 'prisma/migrations');

const CONNECT_TIMEOUT_MS = 5_000;

export function addMigrateCommand(command: Command): void {
  command.addHelpText(
    'after',
    `${examples(
      '$ ipm migrate',
      '$ DATABASE_OWNER_URL=postgresql://owner:pw@db/ipm DATABASE_URL=postgresql://ipm_serve:pw2@db/ipm ipm migrate',
    )}

It migrates as DATABASE_OWNER_URL, else as DATABASE_URL. Where the two name different users, it makes the one of DATABASE_URL
the least login that can serve. Where IPM_SECRETS_FILE names a file that is missing, it makes the file. Run again, it changes
nothing.`,
  );
  whenRun(command, migrateStores);
}

async function migrateStores(): Promise<CommandResult> {
  const environment = connectionEnvironment();
  const servingUrl = environment.DATABASE_URL?.trim() ?? '';
  const ownerUrl = environment.DATABASE_OWNER_URL?.trim() || servingUrl;
  assertPostgresUrl('DATABASE_URL', servingUrl);
  assertPostgresUrl('DATABASE_OWNER_URL', ownerUrl);
  const secretsFile = ensureSecrets(environment.IPM_SECRETS_FILE?.trim());
  const { applied, login } = await asOwner(ownerUrl, async (owner) => {
    const names = await migrate({ connectionString: ownerUrl, directory: migrationsFolder });
    await owner.query('GRANT SELECT ON _prisma_migrations TO ipm_system'); // so that doctor can tell what is pending
    return { applied: names, login: await servingLogin(owner, ownerUrl, servingUrl) };
  });
  const text = facts([
    ['Migrations', applied.length === 0 ? 'none was missing' : `applied ${applied.join(', ')}`],
    ['Login', login && `${login.name} (${login.made ? 'made' : 'is there'}): may serve and nothing else`],
    ['Secrets file', secretsFile && `${secretsFile.path} (${secretsFile.made ? 'made' : 'is there'})`],
  ]);
  return { document: { applied, login, secrets_file: secretsFile }, text };
}

/** Only whoever makes it knows the secrets, so nothing happens to one that is there. */
function ensureSecrets(file: string | undefined): { path: string; made: boolean } | undefined {
  if (file === undefined || file === '') return undefined;
  if (existsSync(file)) return { path: file, made: false };
  try {
    ensureSecretsFile(file);
    return { path: file, made: true };
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    const message = `IPM_SECRETS_FILE ${file} cannot be made (${reason}): make its folder writable for this user.`;
    throw new CommandFailure(EXIT.wrongUsage, 'secrets_file_not_made', message, { cause: error });
  }
}

async function servingLogin(owner: pg.Client, ownerUrl: string, servingUrl: string): Promise<ServingLogin | undefined> {
  const { user, password } = new pg.Client({ connectionString: servingUrl });
  if (user === undefined || user === new pg.Client({ connectionString: ownerUrl }).user) return undefined;
  return ensureServingLogin(owner, user, password ?? undefined);
}

async function asOwner<T>(url: string, work: (owner: pg.Client) => Promise<T>): Promise<T> {
  const owner = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'ipm migrate',
  });
  owner.on('error', () => undefined); // the query that is lost with a connection says it
  try {
    await owner.connect();
  } catch (error) {
    const { message, next, unreachable } = connectionProblem(url, error);
    const exitCode = unreachable ? EXIT.unreachable : EXIT.wrongUsage;
    throw new CommandFailure(exitCode, 'database_refuses', `${message}.\nWhat to do: ${next}.`, { cause: error });
  }
  try {
    return await work(owner);
  } finally {
    await owner.end();
  }
}

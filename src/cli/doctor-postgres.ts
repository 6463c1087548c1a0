import pg from 'pg';
import type { Configuration } from '../platform/config/configuration.js';
import { Database } from '../platform/database/database.js';
import { pendingMigrationNames } from '../platform/database/migrate.js';
import { TenantWall } from '../platform/database/tenant-wall.js';
import { examineClock, failed, ok, warning, type Finding } from './doctor-finding.js';
import { addressOf, connectionProblem, postgresUrlProblem } from './postgres-address.js';

const OLDEST_VERSION = 15;
const TIMEOUT_MS = 5_000;

interface PostgresPlace {
  /** Serves. */
  url: string;
  /** Migrates. */
  ownerUrl: string;
  migrationsFolder: string;
}

export async function examinePostgres(place: PostgresPlace): Promise<Finding[]> {
  const urls = [place.url, place.ownerUrl];
  if (urls.some((url) => postgresUrlProblem('', url) !== undefined)) return []; // the configuration says so
  const client = new pg.Client({
    connectionString: place.url,
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  client.on('error', () => undefined); // the query that is lost with a connection says it
  try {
    await client.connect();
  } catch (error) {
    const { message, next } = connectionProblem(place.url, error);
    return [failed('Postgres', message, next)];
  }
  try {
    return [
      ...(await examineServer(client, place.url)),
      await examineMigrations(place),
      await examineTenantWall(place.url),
      await examineClock('Postgres', () => clockOf(client)),
    ];
  } catch (error) {
    return [failed('Postgres', reason(error), 'look into the log of Postgres')];
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function examineServer(client: pg.Client, url: string): Promise<Finding[]> {
  const { rows } = await client.query<Record<string, string>>(
    `select current_setting('server_version') as version, current_setting('server_version_num') as number,
       current_setting('fsync') as fsync, current_setting('synchronous_commit') as synchronous_commit,
       current_setting('full_page_writes') as full_page_writes`,
  );
  const { version = '', number, fsync, synchronous_commit, full_page_writes } = rows[0] ?? {};
  return [
    versionFinding(version, Number(number), url),
    durabilityFinding({ fsync, synchronous_commit, full_page_writes }),
  ];
}

function versionFinding(version: string, number: number, url: string): Finding {
  const message = `${version} at ${addressOf(url)}`;
  if (number >= OLDEST_VERSION * 10_000) return ok('Postgres', message);
  return failed('Postgres', message, `upgrade to Postgres ${OLDEST_VERSION} or newer`);
}

/** Off, an acknowledged write can be lost with the power; every other value of synchronous_commit flushes first. */
function durabilityFinding(settings: Readonly<Record<string, string | undefined>>): Finding {
  const off = Object.keys(settings).filter((name) => settings[name] === 'off');
  if (off.length === 0) return ok('durability', `${Object.keys(settings).join(', ')} are on`);
  return failed(
    'durability',
    `${off.join(', ')} off: acknowledged writes can be lost`,
    `set ${off.map((name) => `${name} = on`).join(', ')}`,
  );
}

async function examineMigrations({ ownerUrl, migrationsFolder }: PostgresPlace): Promise<Finding> {
  try {
    const pending = await pendingMigrations(ownerUrl, migrationsFolder);
    if (pending.length === 0) return ok('migrations', 'all applied');
    return failed('migrations', `${pending.length} pending: ${pending.join(', ')}`, 'run ipm migrate');
  } catch (error) {
    if ((error as { code?: string }).code !== '42501')
      return failed('migrations', reason(error), 'mend that, then run ipm migrate');
    const next = 'run ipm doctor with DATABASE_OWNER_URL set, as for ipm migrate';
    return warning('migrations', 'this login serves and may not see which were applied', next);
  }
}

/** The serving login may not look as itself; `ipm migrate` has allowed it to one of its roles. */
async function pendingMigrations(url: string, folder: string): Promise<string[]> {
  try {
    return await pendingMigrationNames(url, folder);
  } catch (error) {
    if ((error as { code?: string }).code !== '42501') throw error;
    const asSystem = new URL(url);
    asSystem.searchParams.set('options', '-c role=ipm_system');
    return pendingMigrationNames(asSystem.toString(), folder);
  }
}

async function examineTenantWall(url: string): Promise<Finding> {
  const database = new Database({ database: { url, ownerUrl: url, poolSize: 2 } } as Configuration); // all that it reads
  try {
    const holes = await new TenantWall(database).holes();
    if (holes.length === 0) return ok('tenant wall', 'stands: without an organisation nothing is seen');
    return failed(
      'tenant wall',
      holes.join('; '),
      'run ipm migrate; if it stays, undo what was granted or changed by hand',
    );
  } catch (error) {
    const { next } = connectionProblem(url, error);
    return failed('tenant wall', `cannot be examined: ${reason(error)}`, next);
  } finally {
    await database.onApplicationShutdown();
  }
}

async function clockOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ ms: number }>(
    'select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms',
  );
  return rows[0]?.ms ?? 0;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

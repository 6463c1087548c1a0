import pg from 'pg';
import { openPool } from '../platform/database/connection-pool.js';
import { CommandFailure, EXIT } from './failure.js';

/** As a person names it, without the password. */
export function addressOf(url: string): string {
  const { host, port, database, user } = new pg.Client({ connectionString: url });
  return `${host}:${port}, database ${database}, as ${user}`;
}

/** Why a connection was refused, and what mends it. */
export interface ConnectionProblem {
  message: string;
  next: string;
  unreachable: boolean;
}

const REFUSALS: Readonly<Record<string, Omit<ConnectionProblem, 'message'>>> = {
  '28P01': { next: 'check user and password in DATABASE_URL', unreachable: false },
  '28000': { next: 'check the user in DATABASE_URL and pg_hba.conf', unreachable: false },
  '3D000': { next: 'create the database, or mend its name in DATABASE_URL', unreachable: false },
  '53300': { next: 'raise max_connections, or lower DATABASE_POOL_SIZE', unreachable: true },
  '57P03': { next: 'wait until it has started', unreachable: true },
  '22023': { next: 'run ipm migrate, which makes the roles to serve with', unreachable: false },
  '42501': { next: 'run ipm migrate as the owner, which lets this login serve', unreachable: false },
};
const NO_ANSWER = { next: 'start Postgres, or mend host and port in DATABASE_URL', unreachable: true };

export function connectionProblem(url: string, error: unknown): ConnectionProblem {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return { message: `Postgres at ${addressOf(url)}: ${message || code}`, ...(REFUSALS[code] ?? NO_ANSWER) };
}

/** What is wrong with the form of a URL, without repeating what may be a password. */
export function postgresUrlProblem(name: string, url: string): string | undefined {
  if (URL.canParse(url) && /^postgres(ql)?:$/.test(new URL(url).protocol)) return undefined;
  return `${name} must be a URL such as postgresql://user:password@host:5432/ipm`;
}

export function assertPostgresUrl(name: string, url: string): void {
  const problem = postgresUrlProblem(name, url);
  if (problem) throw new CommandFailure(EXIT.wrongUsage, 'bad_configuration', `${problem}.`);
}

/** Before anything is built on it: a clear word where the database is away, refuses us, or has no tables yet. */
export async function assertServable(url: string): Promise<void> {
  assertPostgresUrl('DATABASE_URL', url);
  const pool = openPool({ url, role: 'ipm_app', size: 1 });
  try {
    const { rows } = await pool.query<{ migrated: boolean }>(
      `select to_regclass('public.database_life') is not null as migrated`,
    );
    if (rows[0]?.migrated) return;
  } catch (error) {
    const { message, next, unreachable } = connectionProblem(url, error);
    const exitCode = unreachable ? EXIT.unreachable : EXIT.wrongUsage;
    const tag = unreachable ? 'database_unavailable' : 'database_refuses';
    throw new CommandFailure(exitCode, tag, `${message}.\nWhat to do: ${next}.`, { cause: error });
  } finally {
    await pool.end();
  }
  const message = `Postgres at ${addressOf(url)} has no tables of IPM yet: run ipm migrate.`;
  throw new CommandFailure(EXIT.refused, 'not_migrated', message);
}

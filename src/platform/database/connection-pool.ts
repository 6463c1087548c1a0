import pg from 'pg';

export type DatabaseRole = 'ipm_app' | 'ipm_system';

export interface PoolOptions {
  url: string;
  role: DatabaseRole;
  size: number;
}

/** A statement that runs longer than this is a defect: every page and every write is bounded. */
const STATEMENT_TIMEOUT_MS = 10_000;
/** A server that is frozen, or a network that swallows everything, ends no statement: then we do, and give up the connection. */
const ANSWER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 2_000;
/** Waiting longer for a lock than this answers 503, so that one slow writer does not take all connections. */
const LOCK_TIMEOUT_MS = 2_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000;
const CONNECT_TIMEOUT_MS = 3_000;

/** Big integers stay exact; pg's default is text. */
export const exactTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pg.types.builtins.INT8 ? BigInt : (pg.types.getTypeParser(oid, format as 'text') as never),
};

/** Connections that start as the given role and with bounds, whatever role the login has. */
export function openPool({ url, role, size }: PoolOptions): pg.Pool {
  const settings = {
    role,
    timezone: 'UTC',
    statement_timeout: STATEMENT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
  };
  const connection = new URL(url);
  const given = connection.searchParams.get('options') ?? '';
  const ours = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  connection.searchParams.set('options', [given, ...ours].join(' ').trim());
  const pool = new pg.Pool({
    connectionString: connection.toString(),
    application_name: role,
    max: size,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    keepAlive: true,
    pipeline: true,
  });
  // Without a listener the process would end with a connection that breaks. An idle one is replaced at the next use; one in
  // somebody's hands fails what they ask of it.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

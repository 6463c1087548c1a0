import pg from 'pg';
import { CommandFailure, EXIT } from './failure.js';
import { scramVerifier } from './scram-verifier.js';

/** Two migrations at once make one login. */
const LOGIN_LOCK = 7_216_450_901;
const SERVING_ROLES = ['ipm_app', 'ipm_system'];
const FIRST_VERSION_WITH_GRANT_OPTIONS = 160_000;

export interface ServingLogin {
  name: string;
  made: boolean;
}

/**
 * The login to serve with: it may do nothing by itself and become `ipm_app` or `ipm_system`. A login that can do more was made
 * for something else, so it is refused rather than cut down.
 */
export async function ensureServingLogin(
  client: pg.Client,
  name: string,
  password: string | undefined,
): Promise<ServingLogin> {
  await client.query('begin');
  try {
    await client.query('select pg_advisory_xact_lock($1::bigint)', [LOGIN_LOCK]);
    const made = await ensureRole(client, name, password);
    await grantServing(client, name);
    const powers = [...(await powersBeyondServing(client, name)), ...(await powersByItself(client, name))];
    if (powers.length > 0) throw tooPowerful(name, powers);
    await client.query('commit');
    return { name, made };
  } catch (error) {
    await client.query('rollback').catch(() => undefined); // a lost connection has rolled back by itself
    throw error;
  }
}

/** True if it is new. */
async function ensureRole(client: pg.Client, name: string, password: string | undefined): Promise<boolean> {
  const role = pg.escapeIdentifier(name);
  const withPassword = password ? ` PASSWORD ${pg.escapeLiteral(scramVerifier(password) ?? password)}` : '';
  const { rows } = await client.query<{ inherits: boolean }>(
    'select rolinherit as inherits from pg_roles where rolname = $1',
    [name],
  );
  if (rows.length === 0) {
    const least = 'LOGIN NOSUPERUSER NOINHERIT NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION';
    await client.query(`CREATE ROLE ${role} ${least}${withPassword}`);
    return true;
  }
  const powers = await powersBeyondServing(client, name);
  if (powers.length > 0) throw tooPowerful(name, powers);
  await client.query(`ALTER ROLE ${role} LOGIN NOINHERIT${withPassword}`);
  return false;
}

async function grantServing(client: pg.Client, name: string): Promise<void> {
  const role = pg.escapeIdentifier(name);
  const { rows } = await client.query<{ version: number; database: string; connects: boolean }>(
    `select current_setting('server_version_num')::int as version, current_database() as database,
       has_database_privilege($1, current_database(), 'CONNECT') as connects`,
    [name],
  );
  const [server] = rows;
  const options =
    (server?.version ?? 0) >= FIRST_VERSION_WITH_GRANT_OPTIONS ? ' WITH ADMIN FALSE, INHERIT FALSE, SET TRUE' : '';
  for (const serving of SERVING_ROLES) await client.query(`GRANT ${serving} TO ${role}${options}`);
  if (server && !server.connects)
    await client.query(`GRANT CONNECT ON DATABASE ${pg.escapeIdentifier(server.database)} TO ${role}`);
}

/** What it may do besides becoming a serving role; empty for a login made here. */
async function powersBeyondServing(client: pg.Client, name: string): Promise<string[]> {
  const { rows } = await client.query<{ power: string }>(
    `select unnest(array_remove(array[
         case when rolsuper then 'is a superuser' end,
         case when rolbypassrls then 'bypasses row-level security' end,
         case when rolcreaterole then 'creates roles' end,
         case when rolcreatedb then 'creates databases' end,
         case when rolreplication then 'replicates' end], null)) as power
       from pg_roles where rolname = $1
     union all
     select 'is a member of ' || g.rolname || case when m.admin_option then ', with admin option' else '' end
       from pg_auth_members m join pg_roles g on g.oid = m.roleid
       where m.member = to_regrole(quote_ident($1)) and (g.rolname <> all ($2) or m.admin_option)
     union all
     select 'owns ' || c.oid::regclass from pg_class c where c.relowner = to_regrole(quote_ident($1)) and c.relkind in ('r', 'p', 'v', 'm', 'S')
     union all
     select 'owns database ' || datname from pg_database where datdba = to_regrole(quote_ident($1))`,
    [name, SERVING_ROLES],
  );
  return rows.map(({ power }) => power);
}

/** Tables that it reaches without becoming a serving role: granted to it directly, or inherited by somebody else's grant. */
async function powersByItself(client: pg.Client, name: string): Promise<string[]> {
  const { rows } = await client.query<{ power: string }>(
    `select 'reaches table ' || c.oid::regclass as power from pg_class c
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
       and has_table_privilege($1, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')`,
    [name],
  );
  return rows.map(({ power }) => power);
}

function tooPowerful(name: string, powers: readonly string[]): CommandFailure {
  const message =
    `The login ${name} of DATABASE_URL can do more than serve: it ${powers.slice(0, 5).join(', ')}. ` +
    'Name one in DATABASE_URL that does not exist yet (it will be made), or take this from it.';
  return new CommandFailure(EXIT.refused, 'login_too_powerful', message);
}

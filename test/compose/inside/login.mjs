// What the login of DATABASE_URL is and can do by itself, before it becomes a serving role.
import pg from 'pg';

const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
const { rows } = await client.query(`
  select current_user as login, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication as powerful,
    (select count(*)::int from pg_class where relowner = r.oid) as owned,
    (select count(*)::int from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'public' and c.relkind in ('r', 'p') and has_table_privilege(c.oid, 'SELECT')) as readable
  from pg_roles r where rolname = current_user`);
await client.end();
console.log(JSON.stringify({ ...rows[0], knowsOwner: 'DATABASE_OWNER_URL' in process.env }));

import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Database } from './database.js';

/** The one condition that a policy may put to us: ipm_raise_tenant_wall writes it, and this is how Postgres gives it back. */
const ONE_ORGANISATION = '(orgcode = ( SELECT ipm_orgcode() AS ipm_orgcode))';

/** Tables with an `orgcode` that the wall does not hold back: not forced, without our policy or with a wider one, or owned by who serves. */
const OPEN_TABLES = `
  with ours as (
    select polrelid, coalesce(pg_get_expr(polqual, polrelid), '${ONE_ORGANISATION}') as sees,
      coalesce(pg_get_expr(polwithcheck, polrelid), pg_get_expr(polqual, polrelid)) as writes
    from pg_policy p where polpermissive and exists (select from unnest(polroles) r where r = 0 or pg_has_role(current_user, r, 'MEMBER')))
  select c.relname::text as name
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attname = 'orgcode' and not a.attisdropped
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    and (not c.relrowsecurity or not c.relforcerowsecurity or pg_has_role(current_user, c.relowner, 'MEMBER')
      or not exists (select from ours where polrelid = c.oid)
      or exists (select from ours where polrelid = c.oid and (sees <> '${ONE_ORGANISATION}' or writes <> '${ONE_ORGANISATION}')))`;

/** Partitions do not inherit row-level security: whoever may read one directly reads every organisation. */
const OPEN_PARTITIONS = `
  select c.relname::text as name from pg_class c
  where c.relispartition and c.relkind in ('r', 'p')
    and (has_table_privilege(c.oid, 'SELECT') or has_table_privilege(c.oid, 'INSERT') or has_table_privilege(c.oid, 'UPDATE') or has_table_privilege(c.oid, 'DELETE'))`;

/** Serving with a role that sees more than its organisation would break the one promise that has no repair: so we do not serve. */
@Injectable()
export class TenantWall implements OnModuleInit {
  constructor(private readonly database: Database) {}

  async onModuleInit(): Promise<void> {
    const holes = await this.holes();
    if (holes.length > 0) throw new Error(`the tenant wall has holes, so nothing is served: ${holes.join('; ')}`);
  }

  /** What would let the ordinary role see over the wall; empty when it stands. */
  async holes(): Promise<string[]> {
    const holes: string[] = [];
    const [role] = await this.database.withoutOrganisation<{ name: string; above: boolean; system: boolean }>(
      `select current_user::text as name, rolsuper or rolbypassrls as above, pg_has_role(current_user, 'ipm_system', 'MEMBER') as system
       from pg_roles where rolname = current_user`,
    );
    if (role?.name !== 'ipm_app') holes.push(`connections serve as ${role?.name} and not as ipm_app`);
    if (role?.above) holes.push(`${role.name} is a superuser or bypasses row-level security`);
    if (role?.system) holes.push(`${role.name} has the rights of ipm_system`);
    for (const { name } of await this.database.withoutOrganisation<{ name: string }>(OPEN_TABLES))
      holes.push(`table ${name} is open`);
    for (const { name } of await this.database.withoutOrganisation<{ name: string }>(OPEN_PARTITIONS))
      holes.push(`partition ${name} is granted`);
    for (const table of await this.readableTables()) {
      const rows = await this.database.withoutOrganisation(`select 1 from ${table} limit 1`);
      if (rows.length > 0) holes.push(`table ${table} shows rows although no organisation is set`);
    }
    return holes;
  }

  private async readableTables(): Promise<string[]> {
    const tables = await this.database.withoutOrganisation<{ name: string }>(
      `select c.oid::regclass::text as name from pg_class c
       join pg_attribute a on a.attrelid = c.oid and a.attname = 'orgcode' and not a.attisdropped
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and has_table_privilege(c.oid, 'SELECT')`,
    );
    return tables.map(({ name }) => name);
  }
}

import { Injectable } from '@nestjs/common';
import { Prisma } from '../generated/prisma/client.js';
import { Database } from '../platform/database/database.js';
import type { Db, Tx } from '../platform/database/transaction.js';
import { versionOrder, type EventTypeDefinition, type Specimen, type ValidationLevel } from './event-type.js';
import type { FactsRule } from './facts-rule.js';
import type { RedactionRules } from './redaction-rules.js';

export interface CatalogFilters {
  service?: string | undefined;
  action?: string | undefined;
  action_prefix?: string | undefined;
}

export interface TypeName {
  service: string;
  action: string;
}

export interface RedactionOfType extends TypeName {
  redaction: RedactionRules;
}

export interface CatalogState {
  version: bigint;
  policy: string;
}

interface EventTypeRow {
  service: string;
  action: string;
  schemaVersion: string;
  description: string | null;
  validation: string;
  schema: unknown;
  redaction: unknown;
  facts: unknown;
  specimen: unknown;
}

/** What organisations registered beyond the built-in catalog. */
@Injectable()
export class CatalogRepository {
  constructor(private readonly database: Database) {}

  /** Held to the commit: two registrations of one organisation come one after the other. */
  async lock(tx: Tx, orgcode: string): Promise<void> {
    await tx.$queryRaw`select pg_advisory_xact_lock(hashtextextended('catalog:' || ${orgcode}, 0))::text`;
  }

  count(tx: Tx, orgcode: string): Promise<number> {
    return tx.eventType.count({ where: { orgcode } });
  }

  async exists(tx: Tx, orgcode: string, { service, action, schemaVersion }: EventTypeDefinition): Promise<boolean> {
    return (await tx.eventType.count({ where: { orgcode, service, action, schemaVersion } })) > 0;
  }

  async insert(tx: Tx, orgcode: string, type: EventTypeDefinition, createdBy: string): Promise<void> {
    const { service, action, schemaVersion, description, validation, schema, redaction, facts, specimen } = type;
    await tx.eventType.create({
      data: {
        orgcode,
        service,
        action,
        schemaVersion,
        versionOrder: versionOrder(schemaVersion),
        description: description ?? null,
        validation,
        schema,
        redaction,
        facts: facts ? { ...facts, numerics: [...facts.numerics] } : Prisma.DbNull,
        specimen: specimen ? (specimen as Prisma.InputJsonObject) : Prisma.DbNull,
        createdBy,
      },
    });
  }

  async find(
    db: Db,
    orgcode: string,
    { service, action }: TypeName,
    schemaVersion: string,
  ): Promise<EventTypeDefinition | undefined> {
    const row = await db.eventType.findUnique({
      where: { orgcode_service_action_schemaVersion: { orgcode, service, action, schemaVersion } },
    });
    return row ? toDefinition(row) : undefined;
  }

  /** The newest registered version of each type that passes the filters, by name. */
  async newest(
    orgcode: string,
    filters: CatalogFilters,
    after: TypeName | undefined,
    limit: number,
  ): Promise<EventTypeDefinition[]> {
    const { service, action, action_prefix } = filters;
    const conditions = [Prisma.sql`orgcode = ${orgcode}`];
    if (service !== undefined) conditions.push(Prisma.sql`service = ${service}`);
    if (action !== undefined) conditions.push(Prisma.sql`action = ${action}`);
    if (action_prefix !== undefined) conditions.push(Prisma.sql`starts_with(action, ${action_prefix})`);
    if (after) conditions.push(Prisma.sql`(service, action) > (${after.service}, ${after.action})`);
    const rows = await this.database.rows<EventTypeRow>(
      orgcode,
      Prisma.sql`
        select distinct on (service, action)
          service, action, schema_version as "schemaVersion", description, validation, schema, redaction, facts, specimen
        from event_type where ${Prisma.join(conditions, ' and ')}
        order by service, action, version_order desc limit ${limit}`,
    );
    return rows.map(toDefinition);
  }

  /** What events of the organisation are checked against: which state, and what becomes of types it does not list. */
  async state(orgcode: string): Promise<CatalogState> {
    const [state] = await this.database.rows<CatalogState>(
      orgcode,
      Prisma.sql`select catalog_version as version, catalog_policy as policy from organisation where orgcode = ${orgcode}`,
    );
    return state ?? { version: 0n, policy: 'accept' };
  }

  /** In the transaction of every change of what events are checked against. */
  async beginNewState(tx: Tx, orgcode: string): Promise<void> {
    await tx.organisation.update({ where: { orgcode }, data: { catalogVersion: { increment: 1 } } });
  }

  registeredNames(orgcode: string): Promise<TypeName[]> {
    return this.database.rows<TypeName>(
      orgcode,
      Prisma.sql`select distinct service, action from event_type where orgcode = ${orgcode}`,
    );
  }

  /** As `newest`, of all types and without their schemas, which would be many megabytes. */
  newestRedaction(orgcode: string, service: string | undefined): Promise<RedactionOfType[]> {
    const ofService = service === undefined ? Prisma.empty : Prisma.sql`and service = ${service}`;
    return this.database.rows<RedactionOfType>(
      orgcode,
      Prisma.sql`
        select distinct on (service, action) service, action, redaction from event_type
        where orgcode = ${orgcode} ${ofService} order by service, action, version_order desc`,
    );
  }
}

/** What was checked when it was registered is not checked again. */
function toDefinition(row: EventTypeRow): EventTypeDefinition {
  return {
    service: row.service,
    action: row.action,
    schemaVersion: row.schemaVersion,
    description: row.description ?? undefined,
    validation: row.validation as ValidationLevel,
    schema: row.schema as object,
    redaction: row.redaction as RedactionRules,
    facts: (row.facts as FactsRule | null) ?? undefined,
    specimen: (row.specimen as Specimen | null) ?? undefined,
  };
}

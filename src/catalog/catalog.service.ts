import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { WriteService, type Written } from '../audit/write.service.js';
import type { OwnEvent } from '../cdc/own-events.service.js';
import { Configuration } from '../platform/config/configuration.js';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/transaction.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { clampLimit, Paging, type Page } from '../platform/http/paging.js';
import { BuiltinCatalog } from './builtin-catalog.js';
import type {
  EventCatalogEntry,
  EventCatalogListRequest,
  EventTypeRegistered,
  EventTypeRegisterRequest,
  EventTypeSchema,
} from './catalog.dto.js';
import { catalogErrors } from './catalog.errors.js';
import { definitionFromWire, entryToWire, schemaToWire } from './catalog.mapper.js';
import { CatalogRepository, type CatalogFilters, type TypeName } from './catalog.repository.js';
import {
  ACTION_NAME,
  OWN_SERVICE,
  SCHEMA_VERSION,
  SERVICE_NAME,
  type EventTypeDefinition,
  type EventTypeOrigin,
} from './event-type.js';
import { eventTypeProblems, looseningProblems, tightened } from './event-type-rules.js';

/** Versions an organisation may register: a bound, far above any catalog we have seen. */
export const MAX_EVENT_TYPES = 2_000;

export interface CatalogType {
  type: EventTypeDefinition;
  origin: EventTypeOrigin;
}

/** The catalog of an organisation: what comes with the product, and what it registered itself. */
@Injectable()
export class CatalogService {
  constructor(
    private readonly database: Database,
    private readonly writes: WriteService,
    private readonly registered: CatalogRepository,
    private readonly builtin: BuiltinCatalog,
    private readonly paging: Paging,
    private readonly configuration: Configuration,
  ) {}

  async list({ orgcode }: Caller, request: EventCatalogListRequest): Promise<Page<EventCatalogEntry>> {
    const { service, action, action_prefix } = request;
    const filters = { service, action, action_prefix };
    const scope = { orgcode, list: 'event/catalog/list', filters };
    const limit = clampLimit(request.limit);
    const [afterService, afterAction] = this.paging.positionAfter(request.next_token, scope) ?? [];
    const after =
      afterService === undefined ? undefined : { service: String(afterService), action: String(afterAction) };
    const types = await this.newestTypes(orgcode, filters, after, limit + 1);
    return this.paging.page(types, limit, scope, {
      position: ({ type }) => [type.service, type.action],
      item: ({ type, origin }) => entryToWire(this.configuration.publicUrl, type, origin),
    });
  }

  /** Built-in and registered types as they hold for the organisation, by name, at most `limit` after the given one. */
  async newestTypes(
    orgcode: string,
    filters: CatalogFilters,
    after: TypeName | undefined,
    limit: number,
  ): Promise<CatalogType[]> {
    const registered = await this.registered.newest(orgcode, filters, after, limit);
    const byName = new Map<string, CatalogType>();
    for (const type of this.builtin.newestTypes()) {
      if (passes(type, filters, after)) byName.set(nameOf(type), { type, origin: 'builtin' });
    }
    for (const type of registered) byName.set(nameOf(type), { type: this.effective(type), origin: 'organisation' });
    return [...byName.values()].sort((a, b) => compareNames(a.type, b.type)).slice(0, limit);
  }

  /** The newest version of one type as it holds for the organisation. */
  async findNewest(orgcode: string, { service, action }: TypeName): Promise<EventTypeDefinition | undefined> {
    const [registered] = await this.registered.newest(orgcode, { service, action }, undefined, 1);
    return registered ? this.effective(registered) : this.builtin.findNewest(service, action);
  }

  async schema(orgcode: string, name: TypeName, version: string): Promise<EventTypeSchema> {
    const shape = this.builtin.shapeSchema(name, version);
    if (shape) return schemaToWire(shape);
    const registered = await this.findEffective(orgcode, name, version);
    if (!registered) throw new AppError(catalogErrors.schemaNotFound);
    return schemaToWire(registered);
  }

  /** One version as it holds for the organisation. */
  async findEffective(orgcode: string, name: TypeName, version: string): Promise<EventTypeDefinition | undefined> {
    const builtin = this.builtin.find(name.service, name.action, version);
    if (builtin) return builtin;
    const registered = await this.findAsGiven(orgcode, name, version);
    return registered && this.effective(registered);
  }

  /** A version exactly as it was given, not merged with the built-in type that it tightens. */
  async findAsGiven(orgcode: string, name: TypeName, version: string): Promise<EventTypeDefinition | undefined> {
    const { service, action } = name;
    if (!SERVICE_NAME.test(service) || !ACTION_NAME.test(action) || !SCHEMA_VERSION.test(version)) return undefined;
    const builtin = this.builtin.find(service, action, version);
    return builtin ?? this.database.read(orgcode, (db) => this.registered.find(db, orgcode, name, version));
  }

  register(caller: Caller, request: EventTypeRegisterRequest): Promise<Answer<EventTypeRegistered>> {
    const type = definitionFromWire(request.event_type);
    const work = async (tx: Tx): Promise<Written<EventTypeRegistered>> => {
      await this.registered.lock(tx, caller.orgcode);
      const isBuiltin = this.builtin.find(type.service, type.action, type.schemaVersion) !== undefined;
      if (isBuiltin || (await this.registered.exists(tx, caller.orgcode, type)))
        throw new AppError(catalogErrors.eventTypeVersionExists);
      if ((await this.registered.count(tx, caller.orgcode)) >= MAX_EVENT_TYPES) {
        throw new AppError(catalogErrors.tooManyEventTypes, { details: { max: MAX_EVENT_TYPES } });
      }
      await this.registered.insert(tx, caller.orgcode, type, caller.actor);
      await this.registered.beginNewState(tx, caller.orgcode);
      const entry = entryToWire(this.configuration.publicUrl, this.effective(type), 'organisation');
      const resource = { type: 'event_type', id: `${nameOf(type)}@${type.schemaVersion}` };
      const audit = { resource, after: registrationFacts(request) };
      return { data: { entry }, audit, events: [this.registeredEvent(type)] };
    };
    return this.writes.once(caller, request, work, { precondition: () => this.assertRegistrable(type) });
  }

  private registeredEvent(type: EventTypeDefinition): OwnEvent {
    const { service, action, schemaVersion, validation, redaction } = this.effective(type);
    const payload = {
      service,
      action,
      schema_version: schemaVersion,
      validation,
      redacted_paths: Object.keys(redaction),
      tightens_built_in: this.builtin.findNewest(service, action) !== undefined,
    };
    return { action: 'catalog.type_registered', resource: { type: 'event_type', id: nameOf(type) }, payload };
  }

  private assertRegistrable(type: EventTypeDefinition): void {
    if (type.service === OWN_SERVICE) throw new AppError(catalogErrors.eventTypeReserved);
    const fields = eventTypeProblems(type);
    if (fields.length > 0) throw new AppError(catalogErrors.eventTypeInvalid, { fields });
    const builtin = this.builtin.findNewest(type.service, type.action);
    const loosened = builtin ? looseningProblems(builtin, type) : [];
    if (loosened.length > 0) throw new AppError(catalogErrors.eventTypeLoosened, { fields: loosened });
    const together = builtin ? eventTypeProblems(tightened(builtin, type)) : []; // each may be fine where both are not
    if (together.length > 0) throw new AppError(catalogErrors.eventTypeInvalid, { fields: together });
  }

  private effective(registered: EventTypeDefinition): EventTypeDefinition {
    const builtin = this.builtin.findNewest(registered.service, registered.action);
    return builtin ? tightened(builtin, registered) : registered;
  }
}

/** For the audit: a version never changes, so of the large parts a hash says enough. */
function registrationFacts({ event_type }: EventTypeRegisterRequest): object {
  const { schema, specimen, ...rest } = event_type;
  return { ...rest, schema_hash: hashOf(schema), ...(specimen ? { specimen_hash: hashOf(specimen) } : {}) };
}

function hashOf(value: object): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

function nameOf({ service, action }: TypeName): string {
  return `${service}.${action}`;
}

function passes(
  type: EventTypeDefinition,
  { service, action, action_prefix = '' }: CatalogFilters,
  after: TypeName | undefined,
): boolean {
  const named = (service ?? type.service) === type.service && (action ?? type.action) === type.action;
  return named && type.action.startsWith(action_prefix) && (!after || compareNames(type, after) > 0);
}

/** As Postgres orders the pair under collation "C". */
function compareNames(a: TypeName, b: TypeName): number {
  if (a.service !== b.service) return a.service < b.service ? -1 : 1;
  return a.action < b.action ? -1 : Number(a.action > b.action);
}

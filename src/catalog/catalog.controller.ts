import { Body, Controller, Param } from '@nestjs/common';
import { DEFAULT_LIMIT, MAX_LIMIT, MIN_LIMIT, type Page } from '../platform/http/paging.js';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { Operation, type ServiceLevel } from '../platform/http/operation.js';
import { CurrentCaller } from '../platform/http/request-scope.js';
import {
  EventCatalogList,
  EventCatalogListRequest,
  EventTypeRegistered,
  EventTypeRegisterRequest,
  EventTypeSchema,
  ExportContractList,
  ExportContractListRequest,
  LifecycleList,
  LifecycleListRequest,
  PaginationGetRequest,
  SpecimenData,
  SpecimenGetRequest,
  StatData,
  type EventCatalogEntry,
} from './catalog.dto.js';
import { CatalogService } from './catalog.service.js';
import { ExportContractService } from './export-contract.service.js';
import { LIFECYCLES, LIFECYCLES_VERSION } from './lifecycles.js';
import { SpecimenService } from './specimen.service.js';

const discovery: ServiceLevel = { routeClass: 'Tier B', qps: 50, concurrency: 25, p95Ms: 300 };
const health: ServiceLevel = { routeClass: 'Tier A', qps: 5, concurrency: 2, p95Ms: 500 };
const read = { role: 'integration_view', level: discovery } as const;

const PAGINATION_CONVENTIONS = {
  default_limit: DEFAULT_LIMIT,
  min_limit: MIN_LIMIT,
  max_limit: MAX_LIMIT,
  token_field: 'next_token',
  end_rule: 'A list is at its end when the answer has no next_token.',
  feed_rule:
    'cdc/list always answers a next_token; has_more says whether to ask again at once. A page may be empty in the middle.',
};

@Controller()
export class CatalogController {
  constructor(
    private readonly catalog: CatalogService,
    private readonly exportContracts: ExportContractService,
    private readonly specimens: SpecimenService,
  ) {}

  @Operation('stat', { method: 'GET', role: 'anyone', level: health, data: StatData, summary: 'Health check' })
  stat(): StatData {
    return { service: 'ipm', status: 'ok' };
  }

  @Operation('event/catalog/list', {
    ...read,
    costCentre: true,
    data: EventCatalogList,
    summary: 'List event types, by name, each with its newest version',
  })
  listEventTypes(
    @CurrentCaller() caller: Caller,
    @Body() request: EventCatalogListRequest,
  ): Promise<Page<EventCatalogEntry>> {
    return this.catalog.list(caller, request);
  }

  @Operation('event/catalog/register', {
    role: 'integration_admin',
    write: true,
    extension: true,
    data: EventTypeRegistered,
    summary: 'Register a version of an event type',
    description:
      'A version never changes once registered. A built-in type may be tightened: what is left out stays as it is.',
  })
  register(
    @CurrentCaller() caller: Caller,
    @Body() request: EventTypeRegisterRequest,
  ): Promise<Answer<EventTypeRegistered>> {
    return this.catalog.register(caller, request);
  }

  @Operation('schema/:service/:action/:version', {
    method: 'GET',
    role: 'integration_view',
    extension: true,
    data: EventTypeSchema,
    summary: 'Get the JSON Schema of a version of an event type',
  })
  schema(
    @CurrentCaller() { orgcode }: Caller,
    @Param('service') service: string,
    @Param('action') action: string,
    @Param('version') version: string,
  ): Promise<EventTypeSchema> {
    return this.catalog.schema(orgcode, { service, action }, version);
  }

  @Operation('export/contract/list', {
    ...read,
    costCentre: true,
    data: ExportContractList,
    summary: 'List what bulk exports hold, by service',
  })
  listExportContracts(
    @CurrentCaller() caller: Caller,
    @Body() request: ExportContractListRequest,
  ): Promise<ExportContractList> {
    return this.exportContracts.list(caller, request);
  }

  @Operation('lifecycle/list', {
    ...read,
    data: LifecycleList,
    summary: 'List state machines, as the code itself asks them',
  })
  listLifecycles(@Body() { service, name }: LifecycleListRequest): LifecycleList {
    const items = LIFECYCLES.filter(
      (lifecycle) =>
        (service ?? lifecycle.service) === lifecycle.service && (name ?? lifecycle.name) === lifecycle.name,
    );
    return {
      items: items.map(({ name, service, states, transitions }) => ({ name, service, states, transitions })),
      version: LIFECYCLES_VERSION,
    };
  }

  @Operation('specimen/get', {
    ...read,
    data: SpecimenData,
    summary: 'Get an example of an event or a shape, or all of them',
  })
  specimen(@CurrentCaller() { orgcode }: Caller, @Body() { name }: SpecimenGetRequest): Promise<SpecimenData> {
    return name === undefined ? this.specimens.all(orgcode) : this.specimens.one(orgcode, name);
  }

  @Operation('pagination/get', { ...read, summary: 'Get the conventions of paging' })
  pagination(@Body() _request: PaginationGetRequest): object {
    return PAGINATION_CONVENTIONS;
  }
}

import { Injectable } from '@nestjs/common';
import { Configuration } from '../platform/config/configuration.js';
import type { Caller } from '../platform/http/caller.js';
import { clampLimit, Paging } from '../platform/http/paging.js';
import { BuiltinCatalog } from './builtin-catalog.js';
import type { ExportContract, ExportContractList, ExportContractListRequest } from './catalog.dto.js';
import { CatalogRepository, type RedactionOfType } from './catalog.repository.js';
import { mergedRedaction, type RedactionRules } from './redaction-rules.js';

/** The schema of a line: the stored envelope, a shape of the built-in catalog. */
const EXPORT_LINE_SCHEMA = { name: 'event_stored', version: '1.0' } as const;

/** An export has one file of the organisation's events, in the order of the log, at most of one service. */
const PARTITIONING = ['orgcode', 'service'];

/** What a bulk export of a service holds: derived from the catalog, so that it is never out of step with it. */
@Injectable()
export class ExportContractService {
  constructor(
    private readonly registered: CatalogRepository,
    private readonly builtin: BuiltinCatalog,
    private readonly paging: Paging,
    private readonly configuration: Configuration,
  ) {}

  async list({ orgcode }: Caller, { service, ...request }: ExportContractListRequest): Promise<ExportContractList> {
    const scope = { orgcode, list: 'export/contract/list', filters: { service } };
    const limit = clampLimit(request.limit);
    const [after = ''] = this.paging.positionAfter(request.next_token, scope) ?? [];
    const contracts = this.contractsOf(await this.redactionByType(orgcode, service));
    const rest = contracts.filter((contract) => contract.service > String(after)).slice(0, limit + 1);
    const { items, next_token } = this.paging.page(rest, limit, scope, {
      position: (contract) => [contract.service],
      item: (contract) => contract,
    });
    return { contracts: items, ...(next_token ? { next_token } : {}) };
  }

  /** Of built-in and registered types, by name. */
  private async redactionByType(orgcode: string, service: string | undefined): Promise<RedactionOfType[]> {
    const byName = new Map<string, RedactionOfType>();
    for (const type of this.builtin.newestTypes()) {
      if (service === undefined || service === type.service) byName.set(`${type.service}.${type.action}`, type);
    }
    for (const type of await this.registered.newestRedaction(orgcode, service)) {
      const name = `${type.service}.${type.action}`;
      byName.set(name, { ...type, redaction: mergedRedaction(byName.get(name)?.redaction ?? {}, type.redaction) });
    }
    return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, type]) => type);
  }

  /** One contract per service, in the order of names. */
  private contractsOf(types: readonly RedactionOfType[]): ExportContract[] {
    const contracts = new Map<string, ExportContract & { redaction: Record<string, RedactionRules> }>();
    for (const { service, action, redaction } of types) {
      const contract = contracts.get(service) ?? this.emptyContract(service);
      contract.actions.push(action);
      if (Object.keys(redaction).length > 0) contract.redaction[action] = redaction;
      contracts.set(service, contract);
    }
    return [...contracts.values()];
  }

  private emptyContract(service: string): ExportContract & { redaction: Record<string, RedactionRules> } {
    const { name, version } = EXPORT_LINE_SCHEMA;
    const schema_url = `${this.configuration.publicUrl}/ipm/schema/ipm/${name}/${version}`;
    return {
      service,
      stream: 'events',
      format: 'ndjson',
      partitioning: PARTITIONING,
      actions: [],
      schema_url,
      schema_version: version,
      redaction: {},
    };
  }
}

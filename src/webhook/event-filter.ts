import { compilePayloadFilter } from './payload-filter.js';

/** Which events a webhook wants. An empty list means any; several filters are an OR. */
export interface EventFilter {
  service: string;
  actions?: readonly string[];
  channel_codes?: readonly string[];
  logical_guids?: readonly string[];
  payload_filter?: object;
}

export interface FilteredEvent {
  readonly service: string;
  readonly action: string;
  readonly channelCode: string | null;
  readonly logicalGuid: string | null;
  readonly payload: unknown;
}

export type CompiledFilters = (event: FilteredEvent) => boolean;

/** An event of the log as filters see it: its envelope is parsed when the first of them asks for the payload, and once. */
export class FilteredEventView implements FilteredEvent {
  readonly service: string;
  readonly action: string;
  readonly channelCode: string | null;
  readonly logicalGuid: string | null;
  private readonly envelope: string;
  private parsed: { payload?: unknown } | undefined;

  constructor(event: Omit<FilteredEvent, 'payload'> & { readonly envelope: string }) {
    this.service = event.service;
    this.action = event.action;
    this.channelCode = event.channelCode;
    this.logicalGuid = event.logicalGuid;
    this.envelope = event.envelope;
  }

  get payload(): unknown {
    this.parsed ??= JSON.parse(this.envelope) as { payload?: unknown };
    return this.parsed.payload;
  }
}

const ANY = '*';
const BELOW = '.*';

/** What costs least is asked first, the payload last. */
export function compileFilters(filters: readonly EventFilter[]): CompiledFilters {
  const wanted = filters.map(compileFilter);
  return (event) => wanted.some((wants) => wants(event));
}

function compileFilter({
  service,
  actions = [],
  channel_codes,
  logical_guids,
  payload_filter,
}: EventFilter): CompiledFilters {
  const exactActions = new Set(actions.filter((action) => !action.endsWith(BELOW)));
  /** `order.*` is anything below `order.`, and not `order` itself. */
  const prefixes = actions.filter((action) => action.endsWith(BELOW)).map((action) => action.slice(0, -1));
  const isChannelWanted = anyOrOneOf(channel_codes);
  const isFacilityWanted = anyOrOneOf(logical_guids);
  const isPayloadWanted = payload_filter === undefined ? () => true : compilePayloadFilter(payload_filter);
  return (event) =>
    (service === ANY || service === event.service) &&
    (actions.length === 0 ||
      exactActions.has(event.action) ||
      prefixes.some((prefix) => event.action.startsWith(prefix))) &&
    isChannelWanted(event.channelCode) &&
    isFacilityWanted(event.logicalGuid) &&
    (payload_filter === undefined || isPayloadWanted(event.payload));
}

function anyOrOneOf(wanted: readonly string[] = []): (value: string | null) => boolean {
  if (wanted.length === 0) return () => true;
  const values = new Set(wanted);
  return (value) => value !== null && values.has(value);
}

/** Which events a webhook wants. An empty list means any; several filters are an OR. */
export interface EventFilter {
  service: string;
  actions?: readonly string[];
  channel_codes?: readonly string[];
  logical_guids?: readonly string[];
}

export interface FilteredEvent {
  service: string;
  action: string;
  channelCode: string | null;
  logicalGuid: string | null;
}

const ANY = '*';
const BELOW = '.*';

export function matchesAny(event: FilteredEvent, filters: readonly EventFilter[]): boolean {
  return filters.some((filter) => matches(event, filter));
}

function matches(event: FilteredEvent, { service, actions, channel_codes, logical_guids }: EventFilter): boolean {
  return (
    (service === ANY || service === event.service) &&
    isAnyOr(actions, (actions) => actions.some((action) => matchesAction(event.action, action))) &&
    isAnyOr(channel_codes, (codes) => event.channelCode !== null && codes.includes(event.channelCode)) &&
    isAnyOr(logical_guids, (guids) => event.logicalGuid !== null && guids.includes(event.logicalGuid))
  );
}

function isAnyOr(wanted: readonly string[] | undefined, passes: (wanted: readonly string[]) => boolean): boolean {
  return wanted === undefined || wanted.length === 0 || passes(wanted);
}

/** `order.*` is anything below `order.`, and not `order` itself. */
function matchesAction(action: string, wanted: string): boolean {
  return wanted.endsWith(BELOW) ? action.startsWith(wanted.slice(0, -1)) : action === wanted;
}

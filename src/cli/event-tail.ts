import { OrganisationService } from '../access/organisation.service.js';
import { CdcModule } from '../cdc/cdc.module.js';
import { followedFeed, interruption, tokenOfNow } from './followed-feed.js';
import { withServices } from './operator.js';
import type { CommonOptions } from './options.js';
import { printLine } from './output.js';

export const STARTS = ['beginning', 'now'] as const;

interface TailOptions extends CommonOptions {
  org: string;
  service?: string;
  from: (typeof STARTS)[number];
}

/** As the feed shows it. */
interface ShownEvent {
  service: string;
  action: string;
  occurred_at: string;
  position: string;
  resource_type?: string;
  resource_id?: string;
  flags?: string[];
}

/** Prints until it is told to stop, and so has no result. */
export async function tailEvents({ org, service, from, json }: TailOptions): Promise<undefined> {
  const interrupted = interruption();
  await withServices(
    async (services) => {
      await services.get(OrganisationService).get(org);
      const filters = service === undefined ? {} : { service };
      const after = from === 'now' ? await tokenOfNow(services, org, filters) : undefined;
      for await (const text of followedFeed(services, org, filters, after, interrupted))
        printLine(json ? text : lineOf(JSON.parse(text) as ShownEvent), json === true);
    },
    [CdcModule],
  );
}

function lineOf({
  occurred_at,
  position,
  service,
  action,
  resource_type,
  resource_id,
  flags = [],
}: ShownEvent): string {
  const resource = [resource_type, resource_id].filter((part) => part !== undefined).join(' ');
  const columns = [occurred_at, position, `${service}.${action}`, resource, flags.map((flag) => `[${flag}]`).join(' ')];
  return columns.filter((column) => column !== '').join('  ');
}

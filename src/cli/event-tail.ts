import { setTimeout as sleep } from 'node:timers/promises';
import { OrganisationService } from '../access/organisation.service.js';
import { MAX_WAIT_MS, type CdcList, type CdcListRequest } from '../cdc/cdc.dto.js';
import { CdcModule } from '../cdc/cdc.module.js';
import { feedFilters } from '../cdc/feed-filters.js';
import { feedScope, FeedService } from '../cdc/feed.service.js';
import { MAX_LIMIT, Paging } from '../platform/http/paging.js';
import { EXIT, failureOf } from './failure.js';
import { operator, withServices, type Services } from './operator.js';
import type { CommonOptions } from './options.js';
import { printLine } from './output.js';

export const STARTS = ['beginning', 'now'] as const;
const AFTER_FAILURE_MS = 2_000;

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
  const stopped = new Promise<undefined>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(undefined));
  });
  await withServices(
    async (services) => {
      await services.get(OrganisationService).get(org);
      const filters = service === undefined ? {} : { service };
      let next_token = from === 'now' ? await tokenOfNow(services, org, filters) : undefined;
      for (;;) {
        const request = { ...filters, limit: MAX_LIMIT, wait_ms: MAX_WAIT_MS, ...(next_token && { next_token }) };
        const page = await Promise.race([pageOf(services, org, request), stopped]);
        if (page === undefined) return;
        for (const text of page.items.texts)
          printLine(json ? text : lineOf(JSON.parse(text) as ShownEvent), json === true);
        ({ next_token } = page);
      }
    },
    [CdcModule],
  );
}

async function tokenOfNow(services: Services, org: string, filters: { service?: string }): Promise<object> {
  const { head } = await services.get(FeedService).ends(org);
  return services.get(Paging).tokenAt([String(head)], feedScope(org, feedFilters(filters)));
}

/** A database that restarts is waited for: whoever watches wants to see what comes after it. */
async function pageOf(services: Services, org: string, request: CdcListRequest): Promise<CdcList> {
  for (;;) {
    try {
      return await services.get(FeedService).list(operator(org, 'cdc/list'), request);
    } catch (error) {
      const { exitCode, message } = failureOf(error);
      if (exitCode !== EXIT.unreachable) throw error;
      process.stderr.write(`${message} Trying again.\n`);
      await sleep(AFTER_FAILURE_MS);
    }
  }
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

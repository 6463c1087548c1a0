import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_WAIT_MS, type CdcList, type CdcListRequest } from '../cdc/cdc.dto.js';
import { feedFilters } from '../cdc/feed-filters.js';
import { feedScope, FeedService } from '../cdc/feed.service.js';
import { MAX_LIMIT, Paging } from '../platform/http/paging.js';
import { EXIT, failureOf } from './failure.js';
import { operator, type Services } from './operator.js';

const AFTER_FAILURE_MS = 2_000;

type Filters = Pick<CdcListRequest, 'service'>;

/** Aborted by Ctrl-C, and by who ends the command in another way. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort());
  return controller.signal;
}

export async function tokenOfNow(services: Services, org: string, filters: Filters): Promise<object> {
  const { head } = await services.get(FeedService).ends(org);
  return services.get(Paging).tokenAt([String(head)], feedScope(org, feedFilters(filters)));
}

/** The events of an organisation after a token, or from the first, each as the feed shows it; and on, until interrupted. */
export async function* followedFeed(
  services: Services,
  org: string,
  filters: Filters,
  after: object | undefined,
  interrupted: AbortSignal,
): AsyncGenerator<string, undefined> {
  const stopped = new Promise<undefined>((resolve) =>
    interrupted.addEventListener('abort', () => resolve(undefined), { once: true }),
  );
  for (let next_token = after; !interrupted.aborted;) {
    const request = { ...filters, limit: MAX_LIMIT, wait_ms: MAX_WAIT_MS, ...(next_token && { next_token }) };
    const page = await Promise.race([pageOf(services, org, request), stopped]);
    if (page === undefined) return;
    for (const text of page.items.texts) yield text;
    ({ next_token } = page);
  }
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

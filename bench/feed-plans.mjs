import { EventPartitionRepository } from '../dist/cdc/event-partition.repository.js';
import { EventZoneRepository } from '../dist/cdc/event-zone.repository.js';
import { feedFilters } from '../dist/cdc/feed-filters.js';
import { FeedRepository } from '../dist/cdc/feed.repository.js';
import { FeedService } from '../dist/cdc/feed.service.js';
import { LogLayout } from '../dist/cdc/log-layout.service.js';
import { Prisma } from '../dist/generated/prisma/client.js';
import { readConfiguration } from '../dist/platform/config/configuration.js';
import { Database } from '../dist/platform/database/database.js';
import { ORGCODE } from './ipm-server.mjs';

/** Runs what the product runs, on its own connections and so behind the tenant wall, and has Postgres explain it first. */
class ExplainingDatabase extends Database {
  plans = [];

  async rows(orgcode, statement) {
    const plan = await super.rows(orgcode, Prisma.sql`explain (analyze, buffers, settings) ${statement}`);
    this.plans.push(plan.map((row) => row['QUERY PLAN']));
    return super.rows(orgcode, statement);
  }

  async call(orgcode, call) {
    this.plans.push([`${call.call}: planned once per connection`]);
    return super.call(orgcode, call);
  }
}

/** Of each page, at its first place: the plan of every statement that it took. */
export async function feedPlans({ environment }, pages, limits, firstPosition) {
  const database = new ExplainingDatabase(readConfiguration(environment));
  try {
    const layout = new LogLayout(database, new EventPartitionRepository(), new EventZoneRepository());
    const feed = new FeedService(new FeedRepository(database), layout);
    const lines = [];
    for (const { name, bodies } of pages) {
      for (const limit of limits) {
        const [{ next_token, ...filters }] = bodies;
        database.plans.length = 0;
        await feed.page(ORGCODE, feedFilters(filters), next_token && BigInt(firstPosition), limit);
        database.plans.forEach((plan, i) => lines.push('', `${name}, limit ${limit}, statement ${i + 1}:`, ...plan));
      }
    }
    return lines;
  } finally {
    await database.onApplicationShutdown();
  }
}

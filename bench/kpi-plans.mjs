import { KpiSnapshotRepository } from '../dist/kpi/kpi-snapshot.repository.js';
import { searchOf } from '../dist/kpi/kpi-query.service.js';
import { Prisma } from '../dist/generated/prisma/client.js';
import { readConfiguration } from '../dist/platform/config/configuration.js';
import { Database } from '../dist/platform/database/database.js';
import { ORGCODE } from './ipm-server.mjs';

/** Runs what the product runs, on its own connections and so behind the tenant wall, and has Postgres explain it first. */
class ExplainingDatabase extends Database {
  plans = [];

  async rows(orgcode, statement) {
    const plan = await super.rows(orgcode, Prisma.sql`explain (analyze, buffers, costs off) ${statement}`);
    this.plans.push(plan.map((row) => row['QUERY PLAN']));
    return super.rows(orgcode, statement);
  }
}

export async function kpiPlans({ environment }, queries) {
  const database = new ExplainingDatabase(readConfiguration(environment));
  try {
    const snapshots = new KpiSnapshotRepository(database);
    const lines = [];
    for (const { name, body } of queries) {
      database.plans.length = 0;
      await snapshots.page(ORGCODE, searchOf(body), undefined, (body.limit ?? 8) + 1);
      for (const plan of database.plans) lines.push('', `${name}:`, ...plan);
    }
    return lines;
  } finally {
    await database.onApplicationShutdown();
  }
}

import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { required } from './environment.js';

export interface TestDatabase {
  /** Connects as the superuser that owns everything; the product itself serves as roles that do not. */
  url: string;
  /** Runs as that superuser, past every wall: to arrange and to look, never to act for the product. */
  asOwner<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
  drop(): Promise<void>;
}

/** A database of its own, cloned from the migrated template. */
export async function testDatabase(template = required('TEST_DATABASE_TEMPLATE')): Promise<TestDatabase> {
  const name = `t_${randomBytes(6).toString('hex')}`;
  await asAdmin(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  const url = `${required('TEST_DATABASE_ADMIN_URL')}/${name}`;
  return { ...databaseAt(url), drop: () => asAdmin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

/** One that is there already and goes with its server. */
export function databaseAt(url: string): TestDatabase {
  return { url, asOwner: (sql, values) => oneShot(url, sql, values), drop: () => Promise.resolve() };
}

/** A database without any table. */
export function emptyDatabase(): Promise<TestDatabase> {
  return testDatabase('template0');
}

async function asAdmin(sql: string): Promise<void> {
  await oneShot(`${required('TEST_DATABASE_ADMIN_URL')}/postgres`, sql);
}

async function oneShot<Row extends pg.QueryResultRow>(
  connectionString: string,
  sql: string,
  values?: unknown[],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

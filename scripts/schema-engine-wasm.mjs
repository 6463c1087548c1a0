// Loads Prisma's schema engine compiled to WebAssembly and gives it a PostgreSQL connection that works around five faults of
// adapter-pg 7.10 when used for migrations; each is named where it is met.
import fs from 'node:fs/promises';
import path from 'node:path';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';

const require = createRequire(import.meta.url);
const INTERNAL_CHAR_OID = 18;
const TEXT_OID = 25;

// A connectionString would win over `database` in pg, and the shadow database's work would run against the real one.
function poolConfig(url) {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    host: hostname,
    port: Number(port || 5432),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1),
  };
}

async function execute(config, sql) {
  const client = new pg.Client(config);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

// The adapter knows no mapping for the internal type "char" that the engine's catalogue queries return.
const internalCharColumns = new WeakMap();
class CataloguePool extends pg.Pool {
  async query(...words) {
    const result = await super.query(...words);
    const columns = [];
    for (const [i, field] of (result?.fields ?? []).entries()) {
      if (field.dataTypeID !== INTERNAL_CHAR_OID) continue;
      field.dataTypeID = TEXT_OID;
      columns.push(i);
    }
    if (columns.length > 0) internalCharColumns.set(result.rows, columns);
    return result;
  }
}

async function connect(config) {
  const pool = new CataloguePool({ ...config, max: 1 }); // the engine's advisory lock belongs to one session
  const adapter = await new PrismaPg(pool, { disposeExternalPool: true }).connect();
  const queryRaw = adapter.queryRaw.bind(adapter);
  adapter.queryRaw = async (query) => {
    const result = await queryRaw(query);
    for (const i of internalCharColumns.get(result.rows) ?? []) result.columnTypes[i] = ColumnTypeEnum.Character;
    return result;
  };
  // The adapter splits scripts at every ';', which breaks $$ bodies: send the file whole.
  adapter.executeScript = async (script) => {
    try {
      await pool.query(script);
    } catch (error) {
      adapter.onError(error);
    }
  };
  return adapter;
}

class MigrationAdapter {
  provider = 'postgres';
  adapterName = '@prisma/adapter-pg';
  constructor(config) {
    this.config = config;
  }
  connect() {
    return connect(this.config);
  }
  // The adapter's own drops the shadow database before it closes its pool.
  async connectToShadowDb() {
    const database = `prisma_shadow_${randomUUID()}`;
    await execute(this.config, `CREATE DATABASE "${database}" TEMPLATE template0`);
    const adapter = await connect({ ...this.config, database });
    const dispose = adapter.dispose.bind(adapter);
    adapter.dispose = async () => {
      await dispose();
      await execute(this.config, `DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`);
    };
    return adapter;
  }
}

async function loadSchemaEngine() {
  const glue = require.resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const runtime = await import(pathToFileURL(glue).href);
  const bytes = await fs.readFile(path.join(path.dirname(glue), 'schema_engine_bg.wasm'));
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { './schema_engine_bg.js': runtime });
  runtime.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  return runtime.SchemaEngine;
}

globalThis.PRISMA_WASM_PANIC_REGISTRY ??= {
  message: '',
  get() {
    return this.message;
  },
  set_message(message) {
    this.message = message;
  },
};

let engineClass;
export async function openEngine(url, datamodels) {
  engineClass ??= await loadSchemaEngine();
  const factory = bindMigrationAwareSqlAdapterFactory(new MigrationAdapter(poolConfig(url)));
  return engineClass.new({ datamodels }, () => {}, factory);
}

/** The engine's `cli` sub-commands; answers the exit code. */
export async function databaseCommand(command, url) {
  process.stderr.write('\n');
  const config = poolConfig(url);
  const name = pg.escapeIdentifier(config.database);
  try {
    if (command === 'can-connect-to-database') await execute(config, 'SELECT 1');
    if (command === 'create-database') await execute({ ...config, database: 'postgres' }, `CREATE DATABASE ${name}`);
    return 0;
  } catch (error) {
    const errorCode = { '3D000': 'P1003', '28P01': 'P1000', 28000: 'P1010' }[error.code] ?? 'P1001';
    const fields = { is_panic: false, error_code: errorCode, message: error.message };
    process.stderr.write(`${JSON.stringify({ level: 'ERROR', fields, target: 'schema_engine::logger' })}\n`);
    return 1;
  }
}

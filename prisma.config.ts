import path from 'node:path';
import { defineConfig } from 'prisma/config';

// Prisma's native schema engine comes from a download host that need not be reachable: ours runs the same engine as WebAssembly.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= path.join(import.meta.dirname, 'scripts/schema-engine.mjs');

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  // Partitioned, with a covering key: more than schema.prisma can say.
  experimental: { externalTables: true },
  tables: {
    external: ['public.event', 'public.event_from_1', 'public.event_from_5000001', 'public.event_from_10000001'],
  },
  datasource: { url: process.env.DATABASE_URL ?? 'postgresql://postgres@127.0.0.1:5432/ipm' },
});

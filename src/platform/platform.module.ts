import { Global, Module, type DynamicModule } from '@nestjs/common';
import { Configuration } from './config/configuration.js';
import { Database } from './database/database.js';
import { DatabaseLife } from './database/database-life.js';
import { TenantWall } from './database/tenant-wall.js';
import { GracefulStop } from './http/graceful-stop.js';
import { Paging } from './http/paging.js';
import { RequestMetrics } from './http/request-metrics.js';
import { RequestTraces } from './http/request-traces.js';
import { IdempotencyRepository } from './idempotency/idempotency.repository.js';
import { IdempotencyService } from './idempotency/idempotency.service.js';
import { IdempotencySweep } from './idempotency/idempotency.sweep.js';
import { FileLinks } from './object-store/file-links.js';
import { FileRoutes } from './object-store/file-routes.js';
import { ObjectStore } from './object-store/object-store.js';
import { openObjectStore } from './object-store/open-object-store.js';
import { GuardedClient } from './outgoing/guarded-client.js';
import { OperatorClient } from './outgoing/operator-client.js';
import { FailedLogins } from './rate-limit/failed-logins.js';
import { RateLimiter } from './rate-limit/rate-limiter.js';
import { Redis } from './redis/redis.js';
import { Sweeps } from './schedule/sweeps.js';
import { Metrics } from './telemetry/metrics.js';
import { StoreGauges } from './telemetry/store-gauges.js';
import { Tracing } from './telemetry/tracing.js';
import { Keyring } from './secrets/keyring.js';

const providers = [
  Database,
  DatabaseLife,
  FailedLogins,
  FileLinks,
  FileRoutes,
  GracefulStop,
  GuardedClient,
  Metrics,
  OperatorClient,
  TenantWall,
  Paging,
  IdempotencyRepository,
  IdempotencyService,
  IdempotencySweep,
  RateLimiter,
  RequestMetrics,
  RequestTraces,
  Redis,
  Keyring,
  StoreGauges,
  Sweeps,
  Tracing,
];

/** What every room stands on; it knows none of them. */
@Global()
@Module({})
export class PlatformModule {
  static with(configuration: Configuration): DynamicModule {
    const settings = { provide: Configuration, useValue: configuration };
    const objectStore = {
      provide: ObjectStore,
      useFactory: (links: FileLinks) => openObjectStore(configuration.objectStore, links),
      inject: [FileLinks],
    };
    return {
      module: PlatformModule,
      providers: [settings, objectStore, ...providers],
      exports: [Configuration, ObjectStore, ...providers],
    };
  }
}

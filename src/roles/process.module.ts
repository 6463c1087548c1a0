import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import type { Configuration, ProcessRole } from '../platform/config/configuration.js';
import { HealthController } from '../platform/health/health.controller.js';
import { EnvelopeFilter } from '../platform/http/envelope.filter.js';
import { OperationGuard } from '../platform/http/operation.guard.js';
import { RevisionHook } from '../platform/http/revision.hook.js';
import { ValidationPipe } from '../platform/http/validation.pipe.js';
import { PlatformModule } from '../platform/platform.module.js';
import { MetricsController } from '../platform/telemetry/metrics.controller.js';
import { ApiModule } from './api.module.js';
import { WorkerModule } from './worker.module.js';

const MODULES_OF: Readonly<Record<ProcessRole, readonly (typeof ApiModule | typeof WorkerModule)[]>> = {
  api: [ApiModule],
  worker: [WorkerModule],
  all: [ApiModule, WorkerModule],
};

/** One process in its role. Every process answers probes. */
@Module({})
export class ProcessModule {
  static for(configuration: Configuration): DynamicModule {
    return {
      module: ProcessModule,
      imports: [PlatformModule.with(configuration), ...MODULES_OF[configuration.role]],
      controllers: [HealthController, MetricsController],
      providers: [
        RevisionHook,
        { provide: APP_GUARD, useClass: OperationGuard },
        { provide: APP_PIPE, useClass: ValidationPipe },
        { provide: APP_FILTER, useClass: EnvelopeFilter },
      ],
    };
  }
}

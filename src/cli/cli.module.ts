import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { AccessModule } from '../access/access.module.js';
import { AuditModule } from '../audit/audit.module.js';
import type { Configuration } from '../platform/config/configuration.js';
import { PlatformModule } from '../platform/platform.module.js';

/** The rooms that operators reach from the command line; a command adds those that only it needs, since loading them takes time. */
@Module({})
export class CliModule {
  static for(configuration: Configuration, rooms: readonly Type[]): DynamicModule {
    return { module: CliModule, imports: [PlatformModule.with(configuration), AccessModule, AuditModule, ...rooms] };
  }
}

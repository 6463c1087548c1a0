import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { OperationsModule } from '../operations/operations.module.js';
import { EventLogModule } from './event-log.module.js';
import { EventLogSweep } from './event-log.sweep.js';
import { EventRetentionRepository } from './event-retention.repository.js';
import { EventRetention } from './event-retention.service.js';
import { EventRetentionSweep } from './event-retention.sweep.js';
import { EventRouter } from './event-router.service.js';
import { EventRouterSweep } from './event-router.sweep.js';
import { EventZoneRepository } from './event-zone.repository.js';
import { EventZones } from './event-zones.service.js';
import { RouterCursorRepository } from './router-cursor.repository.js';

/** What goes on behind the log: routing, room for events to come, retention. */
@Module({
  imports: [AuditModule, EventLogModule, OperationsModule],
  providers: [
    EventLogSweep,
    EventRetention,
    EventRetentionRepository,
    EventRetentionSweep,
    EventRouter,
    EventRouterSweep,
    EventZoneRepository,
    EventZones,
    RouterCursorRepository,
  ],
  exports: [EventRouter, RouterCursorRepository],
})
export class CdcWorkerModule {}

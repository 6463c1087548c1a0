import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { OperationsModule } from '../operations/operations.module.js';
import { EventCountsRepository } from './event-counts.repository.js';
import { EventCounts } from './event-counts.service.js';
import { EventLogModule } from './event-log.module.js';
import { EventLogGauges } from './event-log-gauges.service.js';
import { EventLogSweep } from './event-log.sweep.js';
import { EventRetentionReconciliation } from './event-retention-reconciliation.js';
import { EventRetentionRepository } from './event-retention.repository.js';
import { EventRetention } from './event-retention.service.js';
import { EventRetentionSweep } from './event-retention.sweep.js';
import { EventRouter } from './event-router.service.js';
import { EventRouterSweep } from './event-router.sweep.js';
import { EventZoneRepository } from './event-zone.repository.js';
import { EventZones } from './event-zones.service.js';

/** What goes on behind the log: routing, room for events to come, retention. */
@Module({
  imports: [AuditModule, EventLogModule, OperationsModule],
  providers: [
    EventCounts,
    EventCountsRepository,
    EventLogGauges,
    EventLogSweep,
    EventRetention,
    EventRetentionReconciliation,
    EventRetentionRepository,
    EventRetentionSweep,
    EventRouter,
    EventRouterSweep,
    EventZoneRepository,
    EventZones,
  ],
  exports: [EventCounts, EventRouter],
})
export class CdcWorkerModule {}

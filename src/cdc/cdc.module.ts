import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { CatalogModule } from '../catalog/catalog.module.js';
import { ArrivalWatch } from './arrival-watch.service.js';
import { EventLogModule } from './event-log.module.js';
import { EventCounters } from './event-counters.service.js';
import { EventIntake } from './event-intake.service.js';
import { EventStreams } from './event-stream.service.js';
import { EventZoneRepository } from './event-zone.repository.js';
import { FeedRepository } from './feed.repository.js';
import { FeedService } from './feed.service.js';
import { LogExport } from './log-export.service.js';
import { LogLayout } from './log-layout.service.js';
import { LogTails } from './log-tails.service.js';
import { PublishService } from './publish.service.js';

/** The event log: accept, list, stream. */
@Module({
  imports: [AuditModule, CatalogModule, EventLogModule],
  providers: [
    ArrivalWatch,
    EventCounters,
    EventIntake,
    EventStreams,
    EventZoneRepository,
    FeedRepository,
    FeedService,
    LogExport,
    LogLayout,
    LogTails,
    PublishService,
  ],
  exports: [EventIntake, EventStreams, EventZoneRepository, FeedService, LogExport, LogLayout, PublishService],
})
export class CdcModule {}

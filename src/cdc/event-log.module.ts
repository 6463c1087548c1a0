import { Module } from '@nestjs/common';
import { Arrivals } from './arrivals.service.js';
import { EventAppender } from './event-appender.service.js';
import { EventHoldRepository } from './event-hold.repository.js';
import { EventHolds } from './event-holds.service.js';
import { EventLogRepository } from './event-log.repository.js';
import { EventPartitionRepository } from './event-partition.repository.js';
import { EventPartitions } from './event-partitions.service.js';
import { OwnEvents } from './own-events.service.js';
import { RouterCursorRepository } from './router-cursor.repository.js';
import { RouterCursors } from './router-cursors.service.js';

/** The writing end of the log, for every room that has something to say. */
@Module({
  providers: [
    Arrivals,
    EventAppender,
    EventHoldRepository,
    EventHolds,
    EventLogRepository,
    EventPartitionRepository,
    EventPartitions,
    OwnEvents,
    RouterCursorRepository,
    RouterCursors,
  ],
  exports: [
    Arrivals,
    EventAppender,
    EventHolds,
    EventPartitionRepository,
    EventPartitions,
    OwnEvents,
    RouterCursorRepository,
    RouterCursors,
  ],
})
export class EventLogModule {}

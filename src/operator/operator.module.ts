import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { BulkActOrders } from './bulk-act-orders.service.js';
import { BulkActRepository } from './bulk-act.repository.js';
import { DeadLetterActRepository } from './dead-letter-act.repository.js';
import { DeadLetterActs } from './dead-letter-acts.service.js';
import { DeadLetterReading } from './dead-letter-reading.service.js';
import { DeadLetterRepository } from './dead-letter.repository.js';

/** What operators see of dead letters, and may do with them. */
@Module({
  imports: [AuditModule],
  providers: [
    BulkActOrders,
    BulkActRepository,
    DeadLetterActRepository,
    DeadLetterActs,
    DeadLetterReading,
    DeadLetterRepository,
  ],
  exports: [BulkActOrders, BulkActRepository, DeadLetterActs, DeadLetterReading, DeadLetterRepository],
})
export class OperatorModule {}

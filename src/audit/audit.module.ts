import { Module } from '@nestjs/common';
import { EventLogModule } from '../cdc/event-log.module.js';
import { RefusalRecorder } from '../platform/http/authentication.hook.js';
import { AuditRepository } from './audit.repository.js';
import { AuditService } from './audit.service.js';
import { AuditVerification } from './audit-verification.service.js';
import { WriteService } from './write.service.js';

/** What was done and refused, unchangeable; and the one way to write that makes sure of it. */
@Module({
  imports: [EventLogModule],
  providers: [
    AuditRepository,
    AuditService,
    AuditVerification,
    WriteService,
    { provide: RefusalRecorder, useExisting: AuditService },
  ],
  exports: [AuditRepository, AuditService, AuditVerification, RefusalRecorder, WriteService],
})
export class AuditModule {}

import { Module } from '@nestjs/common';
import { AccessController } from '../access/access.controller.js';
import { AccessModule } from '../access/access.module.js';
import { AuditController } from '../audit/audit.controller.js';
import { AuditModule } from '../audit/audit.module.js';
import { BulkController } from '../bulk/bulk.controller.js';
import { BulkModule } from '../bulk/bulk.module.js';
import { CatalogController } from '../catalog/catalog.controller.js';
import { CatalogModule } from '../catalog/catalog.module.js';
import { CdcController } from '../cdc/cdc.controller.js';
import { CdcModule } from '../cdc/cdc.module.js';
import { AuthenticationHook } from '../platform/http/authentication.hook.js';
import { CallRate } from '../platform/http/call-rate.js';
import { OperatorDoor } from '../platform/http/operator-door.hook.js';
import { OperatorKey } from '../platform/http/operator-key.js';
import { DeliveryController } from '../delivery/delivery.controller.js';
import { DeliveryModule } from '../delivery/delivery.module.js';
import { WebhookReplayController } from '../delivery/webhook-replay.controller.js';
import { WebhookReplayModule } from '../delivery/webhook-replay.module.js';
import { KpiRuleController } from '../kpi/kpi-rule.controller.js';
import { KpiController } from '../kpi/kpi.controller.js';
import { KpiModule } from '../kpi/kpi.module.js';
import { OperationsApiModule } from '../operations/operations-api.module.js';
import { OperationsController } from '../operations/operations.controller.js';
import { BulkActController } from '../operator/bulk-act.controller.js';
import { OperatorController } from '../operator/operator.controller.js';
import { OperatorModule } from '../operator/operator.module.js';
import { WebhookController } from '../webhook/webhook.controller.js';
import { WebhookModule } from '../webhook/webhook.module.js';

/** The rooms that serve HTTP. */
@Module({
  imports: [
    AccessModule,
    AuditModule,
    CatalogModule,
    CdcModule,
    WebhookModule,
    DeliveryModule,
    WebhookReplayModule,
    BulkModule,
    KpiModule,
    OperationsApiModule,
    OperatorModule,
  ],
  controllers: [
    AccessController,
    AuditController,
    CatalogController,
    CdcController,
    WebhookController,
    DeliveryController,
    WebhookReplayController,
    BulkController,
    KpiController,
    KpiRuleController,
    OperationsController,
    OperatorController,
    BulkActController,
  ],
  providers: [AuthenticationHook, CallRate, OperatorDoor, OperatorKey],
})
export class ApiModule {}

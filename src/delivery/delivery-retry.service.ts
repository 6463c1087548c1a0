import { Injectable } from '@nestjs/common';
import { WriteService } from '../audit/write.service.js';
import type { Tx } from '../platform/database/transaction.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { webhookErrors } from '../webhook/webhook.errors.js';
import { deliveryId, type DeliveryKey } from './delivery-id.js';
import { DeliveryReading, keyIn } from './delivery-reading.service.js';
import { DeliveryRetryRepository, type RetriedDelivery } from './delivery-retry.repository.js';
import type { DeliveryData, DeliveryRetryRequest } from './delivery.dto.js';
import { deliveryErrors } from './delivery.errors.js';

/** One more attempt for what is dead, because somebody asks for it. */
@Injectable()
export class DeliveryRetry {
  constructor(
    private readonly writes: WriteService,
    private readonly repository: DeliveryRetryRepository,
    private readonly reading: DeliveryReading,
  ) {}

  retry(caller: Caller, request: DeliveryRetryRequest): Promise<Answer<DeliveryData>> {
    const { orgcode } = caller;
    return this.writes.once(caller, request, async (tx) => {
      const key = keyIn(request.delivery_id);
      assertRetriable(await this.repository.lock(tx, orgcode, key));
      await this.assertNotReplayed(tx, orgcode, key);
      const { delivery: before } = await this.reading.one(tx, orgcode, key);
      await this.repository.schedule(tx, orgcode, key, caller.actor);
      const { delivery } = await this.reading.one(tx, orgcode, key);
      return {
        data: { delivery },
        audit: { resource: { type: 'delivery', id: delivery.delivery_id }, before, after: delivery },
      };
    });
  }

  /** Else the endpoint would get it twice. The replay is retried instead, should it die. */
  private async assertNotReplayed(tx: Tx, orgcode: string, key: DeliveryKey): Promise<void> {
    const replayNo = await this.repository.replayedAs(tx, orgcode, key);
    if (replayNo === undefined) return;
    const replay_delivery_id = deliveryId({ ...key, replayNo });
    throw new AppError(deliveryErrors.isReplayed, { details: { replay_delivery_id } });
  }
}

function assertRetriable(delivery: RetriedDelivery | undefined): void {
  if (!delivery) throw new AppError(deliveryErrors.notFound);
  const { status, webhookStatus, hasEvent } = delivery;
  if (webhookStatus === 'revoked') throw new AppError(webhookErrors.isRevoked);
  if (status !== 'dead') throw new AppError(deliveryErrors.notDead, { details: { status } });
  if (webhookStatus === 'paused') throw new AppError(webhookErrors.isPaused);
  if (!hasEvent) throw new AppError(deliveryErrors.eventExpired);
}

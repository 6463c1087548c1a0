import { Injectable } from '@nestjs/common';
import { QueueState, type QueueFigures } from './queue-state.repository.js';

/** How routing and deliveries stand over all organisations, for metrics and for `ipm doctor`. */
@Injectable()
export class DeliveryStanding {
  constructor(private readonly queue: QueueState) {}

  figures(): Promise<QueueFigures> {
    return this.queue.figures();
  }
}

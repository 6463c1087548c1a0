import { Injectable, type OnModuleInit } from '@nestjs/common';
import { OperationAdapters, type StaleRun, type Standing } from '../operations/operation-adapters.service.js';
import { EventPartitions } from './event-partitions.service.js';
import { EventRetention } from './event-retention.service.js';

/** What becomes of the run that drops a partition when its worker is gone. */
@Injectable()
export class EventRetentionReconciliation implements OnModuleInit {
  constructor(
    private readonly adapters: OperationAdapters,
    private readonly partitions: EventPartitions,
    private readonly retention: EventRetention,
  ) {}

  onModuleInit(): void {
    this.adapters.register('event_retention', (run) => this.standing(run));
  }

  private async standing({ subject }: StaleRun): Promise<Standing> {
    const partition = (await this.partitions.all()).find(({ name }) => name === subject);
    if (partition) return { kind: 'open', work: (running) => this.retention.goOn(partition, running) };
    const message = `The events of partition ${subject} are dropped.`;
    return { kind: 'ended', result: { outcome: 'succeeded', counts: {}, message } };
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Configuration } from '../platform/config/configuration.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { OperationReconciler } from './operation-reconciler.service.js';

const EVERY_MS = 10_000;

@Injectable()
export class OperationReconcilerSweep implements BeforeApplicationShutdown {
  constructor(
    private readonly reconciler: OperationReconciler,
    private readonly stop: GracefulStop,
    private readonly configuration: Configuration,
  ) {}

  @Interval(EVERY_MS)
  look(): Promise<void> {
    return this.reconciler.look();
  }

  /** What was resumed is left for another at its next step, so that nobody waits for a threshold. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stop.begin();
    const grace = sleep(this.configuration.stopGraceSeconds * 1_000, undefined, { ref: false });
    await Promise.race([this.reconciler.idle(), grace]);
  }
}

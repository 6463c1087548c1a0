import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Configuration } from '../platform/config/configuration.js';
import { Sweeps } from '../platform/schedule/sweeps.js';
import { OperationRunRepository } from './operation-run.repository.js';

const EVERY_MS = 60_000;
const LOOKED_AT = 1_000;
const DAY_MS = 24 * 60 * 60_000;

/** Runs are kept as long as the events that they were about. */
@Injectable()
export class OperationRetentionSweep {
  constructor(
    private readonly sweeps: Sweeps,
    private readonly runs: OperationRunRepository,
    private readonly configuration: Configuration,
  ) {}

  @Interval(EVERY_MS)
  async run(): Promise<void> {
    const before = new Date(Date.now() - this.configuration.events.retentionDays * DAY_MS);
    await this.sweeps.alone('operation retention', (tx) => this.runs.forget(tx, before, LOOKED_AT));
  }
}

import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Sweeps } from '../schedule/sweeps.js';
import { IdempotencyRepository } from './idempotency.repository.js';

const EVERY_MS = 60_000;
const ROWS_A_ROUND = 5_000;

/** Takes away keys after their 24 hours; until then an expired key is taken over by its next use, so lateness is harmless. */
@Injectable()
export class IdempotencySweep {
  constructor(
    private readonly sweeps: Sweeps,
    private readonly keys: IdempotencyRepository,
  ) {}

  @Interval(EVERY_MS)
  run(): Promise<number | undefined> {
    return this.sweeps.alone('idempotency keys', (tx) => this.keys.deleteExpired(tx, ROWS_A_ROUND));
  }
}

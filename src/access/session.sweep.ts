import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Sweeps } from '../platform/schedule/sweeps.js';
import { SessionRepository } from './session.repository.js';

const EVERY_MS = 10 * 60_000;
const ROWS_A_ROUND = 5_000;

@Injectable()
export class SessionSweep {
  constructor(
    private readonly sweeps: Sweeps,
    private readonly sessions: SessionRepository,
  ) {}

  @Interval(EVERY_MS)
  run(): Promise<number | undefined> {
    return this.sweeps.alone('ended sessions', (tx) => this.sessions.deleteEnded(tx, ROWS_A_ROUND));
  }
}

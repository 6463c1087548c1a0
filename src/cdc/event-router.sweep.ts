import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Database } from '../platform/database/database.js';
import { log } from '../platform/telemetry/logger.js';
import { Arrivals } from './arrivals.service.js';
import { EventRouter } from './event-router.service.js';
import { RouterCursorRepository } from './router-cursor.repository.js';

const EVERY_MS = 1_000;
const ORGANISATIONS_A_ROUND = 1_000;

/** Kicks the router: at once when events arrive, and once a second for what no ring told of. */
@Injectable()
export class EventRouterSweep implements OnApplicationBootstrap, OnApplicationShutdown {
  private stopListening: (() => void) | undefined;
  private isLooking = false;

  constructor(
    private readonly arrivals: Arrivals,
    private readonly router: EventRouter,
    private readonly database: Database,
    private readonly cursors: RouterCursorRepository,
  ) {}

  onApplicationBootstrap(): void {
    this.stopListening = this.arrivals.listenToAll((orgcode) => this.router.kick(orgcode));
  }

  onApplicationShutdown(): void {
    this.stopListening?.();
  }

  @Interval(EVERY_MS)
  async look(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    try {
      const behind = await this.database.acrossOrganisations('event routing', (tx) =>
        this.cursors.behind(tx, ORGANISATIONS_A_ROUND),
      );
      for (const orgcode of behind) this.router.kick(orgcode);
    } catch (error) {
      log.warn({ err: error }, 'the router could not look for work; it looks again');
    } finally {
      this.isLooking = false;
    }
  }
}

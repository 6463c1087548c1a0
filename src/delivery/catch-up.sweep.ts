import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { WorkRound } from '../operations/work-round.service.js';
import { Configuration } from '../platform/config/configuration.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { CatchUpRepository, type Lagging } from './catch-up.repository.js';
import { CatchUp } from './catch-up.service.js';

const LOOKED_AT = 100;

/** Finds webhooks that missed something, and lets some of them catch up at a time. */
@Injectable()
export class CatchUpSweep implements BeforeApplicationShutdown {
  private readonly round: WorkRound<Lagging>;

  constructor(
    repository: CatchUpRepository,
    catchUp: CatchUp,
    stop: GracefulStop,
    private readonly configuration: Configuration,
  ) {
    this.round = new WorkRound(stop, {
      name: 'a catch-up',
      keyOf: ({ orgcode, webhookId }) => `${orgcode}/${webhookId}`,
      open: () => repository.lagging(LOOKED_AT),
      run: (webhook) => catchUp.run(webhook),
    });
  }

  @Interval(1_000)
  look(): Promise<void> {
    return this.round.look();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.round.leave(this.configuration.stopGraceSeconds);
  }
}

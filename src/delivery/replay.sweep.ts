import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { WorkRound } from '../operations/work-round.service.js';
import { Configuration } from '../platform/config/configuration.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { ReplayRuns } from './replay-runs.service.js';
import { ReplayRepository, type OpenReplay } from './replay.repository.js';

const LOOKED_AT = 100;

/** Takes up replays that were ordered, and those whose worker was lost. */
@Injectable()
export class ReplaySweep implements BeforeApplicationShutdown {
  private readonly round: WorkRound<OpenReplay>;

  constructor(
    replays: ReplayRepository,
    runs: ReplayRuns,
    stop: GracefulStop,
    private readonly configuration: Configuration,
  ) {
    this.round = new WorkRound(stop, {
      name: 'a replay',
      keyOf: ({ orgcode, replayId }) => `${orgcode}/${replayId}`,
      open: () => replays.open(LOOKED_AT),
      run: (replay) => runs.run(replay),
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

import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { log } from '../platform/telemetry/logger.js';
import { ReplayRuns } from './replay-runs.service.js';
import { ReplayRepository, type OpenReplay } from './replay.repository.js';

const AT_ONCE = 4;
const LOOKED_AT = 100;

/** Takes up replays that were ordered, and those whose worker was lost. */
@Injectable()
export class ReplaySweep {
  private readonly atWork = new Set<string>();
  private isLooking = false;

  constructor(
    private readonly replays: ReplayRepository,
    private readonly runs: ReplayRuns,
    private readonly stop: GracefulStop,
  ) {}

  @Interval(1_000)
  async look(): Promise<void> {
    if (this.isLooking || this.stop.isStopping || this.atWork.size >= AT_ONCE) return;
    this.isLooking = true;
    try {
      const open = (await this.replays.open(LOOKED_AT)).filter((one) => !this.atWork.has(nameOf(one)));
      for (const one of open.slice(0, AT_ONCE - this.atWork.size)) void this.begin(one);
    } catch (error) {
      log.warn({ err: error }, 'replays could not be looked for; they are in a second');
    } finally {
      this.isLooking = false;
    }
  }

  private async begin(replay: OpenReplay): Promise<void> {
    this.atWork.add(nameOf(replay));
    try {
      await this.runs.run(replay);
    } catch (error) {
      log.warn({ err: error, ...replay }, 'a replay could not begin or end; the next round goes on');
    } finally {
      this.atWork.delete(nameOf(replay));
    }
  }
}

function nameOf({ orgcode, replayId }: OpenReplay): string {
  return `${orgcode}/${replayId}`;
}

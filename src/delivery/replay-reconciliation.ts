import { Injectable, type OnModuleInit } from '@nestjs/common';
import { namedIn, OperationAdapters, type StaleRun, type Standing } from '../operations/operation-adapters.service.js';
import type { OperationResult } from '../operations/operation-runs.service.js';
import { ReplayRuns } from './replay-runs.service.js';
import { ReplayRepository } from './replay.repository.js';

/** What becomes of the run of a replay whose worker is gone. */
@Injectable()
export class ReplayReconciliation implements OnModuleInit {
  constructor(
    private readonly adapters: OperationAdapters,
    private readonly replays: ReplayRepository,
    private readonly runs: ReplayRuns,
  ) {}

  onModuleInit(): void {
    this.adapters.register('webhook_replay', (run) => this.standing(run));
  }

  private async standing(run: StaleRun): Promise<Standing> {
    const replay = { orgcode: run.orgcode ?? '', replayId: namedIn(run) };
    const record = await this.replays.read(replay);
    if (!record) return { kind: 'gone' };
    if (record.status !== 'completed') return { kind: 'open', work: (running) => this.runs.goOn(replay, running) };
    const { matched, delivered, failed, outcome } = record;
    const result: OperationResult = {
      outcome: outcome as OperationResult['outcome'],
      counts: { matched, delivered, failed },
      message: 'It was done; webhook/replay/get shows what came of it.',
    };
    return { kind: 'ended', result };
  }
}

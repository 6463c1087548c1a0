import { Injectable, type OnModuleInit } from '@nestjs/common';
import { namedIn, OperationAdapters, type StaleRun, type Standing } from '../operations/operation-adapters.service.js';
import { CatchUpRepository } from './catch-up.repository.js';
import { CatchUp } from './catch-up.service.js';

/** What becomes of the run of a catch-up whose worker is gone. */
@Injectable()
export class CatchUpReconciliation implements OnModuleInit {
  constructor(
    private readonly adapters: OperationAdapters,
    private readonly repository: CatchUpRepository,
    private readonly catchUp: CatchUp,
  ) {}

  onModuleInit(): void {
    this.adapters.register('webhook_catch_up', (run) => this.standing(run));
  }

  private async standing(run: StaleRun): Promise<Standing> {
    const webhook = await this.repository.find(run.orgcode ?? '', namedIn(run));
    if (!webhook) return { kind: 'gone' };
    const isOpen = webhook.gaps.length > 0 || webhook.caughtUp !== null;
    if (isOpen) return { kind: 'open', work: (running) => this.catchUp.goOn(webhook, running) };
    const message = 'What the webhook missed is in its queue; webhook/delivery/list shows what came of it.';
    return { kind: 'ended', result: { outcome: 'succeeded', counts: {}, message } };
  }
}

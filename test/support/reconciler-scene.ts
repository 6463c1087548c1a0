import { SchedulerRegistry } from '@nestjs/schedule';
import {
  OperationAdapters,
  type OperationAdapter,
  type Standing,
} from '../../src/operations/operation-adapters.service.js';
import { OperationReconciler } from '../../src/operations/operation-reconciler.service.js';
import type { OperationResult } from '../../src/operations/operation-runs.service.js';
import { TestApi } from './api.js';
import { asOperator, askRuns, WITH_OPERATOR, type RunToBe } from './operation-runs.js';

export const DONE: OperationResult = { outcome: 'succeeded', counts: { steps: 2 }, message: 'It was done.' };
/** Of a spec's type, whose threshold is that of unknown ones: 300 seconds. */
export const STALE: RunToBe = { type: 'spec', status: 'running', silentSeconds: 400 };

/** A room that says so of every run. */
export function standing(answer: Standing): OperationAdapter {
  return () => Promise.resolve(answer);
}

/** Two workers whose clocks are stopped: each spec says when who looks. */
export class ReconcilerScene {
  private constructor(
    readonly api: TestApi,
    readonly other: TestApi,
  ) {}

  static async start(): Promise<ReconcilerScene> {
    const api = await TestApi.start(WITH_OPERATOR);
    const other = await TestApi.startOn(api.database, { ...WITH_OPERATOR, IPM_ROLE: 'worker' });
    stopClocks(api);
    stopClocks(other);
    return new ReconcilerScene(api, other);
  }

  async close(): Promise<void> {
    await this.other.app.close();
    await this.api.close();
  }

  partOf<T>(part: new (...collaborators: never[]) => T, of = this.api): T {
    return of.app.get(part, { strict: false });
  }

  /** What both workers are told of a type. */
  knows(adapter: OperationAdapter, type = 'spec'): void {
    for (const each of [this.api, this.other]) this.partOf(OperationAdapters, each).register(type, adapter);
  }

  /** To the end of what it resumes. */
  async look(of = this.api): Promise<void> {
    const reconciler = this.partOf(OperationReconciler, of);
    await reconciler.look();
    await reconciler.idle();
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- its document has checked it
  async seen(id: number): Promise<any> {
    return (await askRuns(this.api, `/${id}`, asOperator)).body;
  }

  rows<Row extends Record<string, unknown>>(sql: string): Promise<Row[]> {
    return this.api.database.asOwner<Row>(sql);
  }
}

export function stopClocks({ app }: TestApi): void {
  const clocks = app.get(SchedulerRegistry, { strict: false });
  for (const name of clocks.getIntervals()) clocks.deleteInterval(name);
}

import { Injectable } from '@nestjs/common';
import type { StaleRun } from './operation-run.repository.js';
import type { OperationResult, OperationWork } from './operation-runs.service.js';

export type { StaleRun };

/** How the work of a stale run stands, as the room knows whose work it is. */
export type Standing =
  /** It can go on from where it was lost. */
  | { kind: 'open'; work: OperationWork }
  /** It has a queue and a lease of its own, by which a worker comes to it. */
  | { kind: 'held' }
  /** It has come to its end, and the run was not told. */
  | { kind: 'ended'; result: OperationResult }
  /** What it was about is no more. */
  | { kind: 'gone' };

export type OperationAdapter = (run: StaleRun) => Promise<Standing>;

/** What the rooms tell the reconciler of their work. A room says so when its module starts in a worker. */
@Injectable()
export class OperationAdapters {
  private readonly byType = new Map<string, OperationAdapter>();

  register(type: string, adapter: OperationAdapter): void {
    this.byType.set(type, adapter);
  }

  of(type: string): OperationAdapter | undefined {
    return this.byType.get(type);
  }
}

/** What a subject names within its organisation: `acme/job_1`. */
export function namedIn({ subject }: Pick<StaleRun, 'subject'>): string {
  return subject.slice(subject.indexOf('/') + 1);
}

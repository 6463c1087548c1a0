import { Injectable } from '@nestjs/common';
import type { SystemTx, Tx } from '../platform/database/transaction.js';

export type OperationOutcome = 'succeeded' | 'partially_succeeded' | 'blocked' | 'failed';
export type OperationCounts = Readonly<Record<string, number>>;

export interface NewOperationRun {
  type: string;
  /** Whose it is; none for work on all of them. */
  orgcode?: string;
  /** What it works on; of one type and subject one run is at work. */
  subject: string;
  initiator: string;
}

@Injectable()
export class OperationRunRepository {
  /** A new run, or the one that a worker has left; undefined where somebody is at it. */
  async startOrTakeOver(
    tx: SystemTx,
    { type, orgcode, subject, initiator }: NewOperationRun,
    staleSeconds: number,
  ): Promise<number | undefined> {
    const [run] = await tx.$queryRaw<{ id: number }[]>`
      insert into operation_run as r (type, orgcode, subject, initiator, status, started_at, heartbeat_at)
      values (${type}, ${orgcode ?? null}, ${subject}, ${initiator}, 'running', clock_timestamp(), clock_timestamp())
      on conflict (type, subject) where status <> 'completed'
      do update set heartbeat_at = clock_timestamp() where r.heartbeat_at < clock_timestamp() - make_interval(secs => ${staleSeconds})
      returning id`;
    return run?.id;
  }

  /** One that waits for its turn. */
  async queue(tx: Tx, { type, orgcode, subject, initiator }: NewOperationRun): Promise<number> {
    const [run] = await tx.$queryRaw<[{ id: number }]>`
      insert into operation_run (type, orgcode, subject, initiator) values (${type}, ${orgcode ?? null}, ${subject}, ${initiator})
      returning id`;
    return run.id;
  }

  /** Its turn has come, or comes again: who says so has it by another lease than the heartbeat. */
  async begin(tx: SystemTx, id: number): Promise<void> {
    await tx.$executeRaw`
      update operation_run set status = 'running', started_at = coalesce(started_at, clock_timestamp()), heartbeat_at = clock_timestamp()
      where id = ${id} and status <> 'completed'`;
  }

  async beat(tx: SystemTx, id: number, counts: OperationCounts): Promise<void> {
    await tx.$executeRaw`
      update operation_run set heartbeat_at = clock_timestamp(), counts = ${JSON.stringify(counts)}::jsonb
      where id = ${id} and status = 'running'`;
  }

  /** Stale from now on, so that whoever comes next takes it over. */
  async leave(tx: SystemTx, id: number): Promise<void> {
    await tx.$executeRaw`update operation_run set heartbeat_at = 'epoch' where id = ${id} and status = 'running'`;
  }

  async complete(
    tx: SystemTx | Tx,
    id: number,
    outcome: OperationOutcome,
    counts: OperationCounts,
    message: string,
  ): Promise<void> {
    await tx.$executeRaw`
      update operation_run set status = 'completed', outcome = ${outcome}, completed_at = clock_timestamp(),
        counts = ${JSON.stringify(counts)}::jsonb, message = ${message}
      where id = ${id} and status = 'running'`;
  }
}

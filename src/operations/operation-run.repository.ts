import { Injectable } from '@nestjs/common';
import { Prisma } from '../generated/prisma/client.js';
import type { SystemTx, Tx } from '../platform/database/transaction.js';
import { evidenceSql, isStaleSql } from './operation-freshness.repository.js';

export type OperationOutcome = 'succeeded' | 'partially_succeeded' | 'blocked' | 'failed';
export type OperationCounts = Readonly<Record<string, number>>;
export type ReconciliationSource = 'failed_callback' | 'scheduled_reconciler' | 'adapter_reconciler';

export interface NewOperationRun {
  type: string;
  /** Whose it is; none for work on all of them. */
  orgcode?: string;
  /** What it works on; of one type and subject one run is at work. */
  subject: string;
  initiator: string;
}

export interface OperationResult {
  outcome: OperationOutcome;
  counts: OperationCounts;
  /** One sentence for operators. */
  message: string;
  /** What went wrong, each by a code and in a sentence for operators. */
  failures?: readonly OperationFailure[];
}

export interface OperationFailure {
  code: string;
  message: string;
}

/** A run as one worker has it: by the number of those that had it before. */
export interface TakenRun {
  id: number;
  takeovers: number;
}

/** One whose worker is silent, or that waits for too long. */
export interface StaleRun {
  id: number;
  type: string;
  orgcode: string | null;
  subject: string;
  lostWorkers: number;
}

/** The end of a run that its worker did not tell. */
export interface Settlement {
  source: ReconciliationSource;
  reasonCode: string;
  reasonMessage: string;
  outcome: OperationOutcome;
  /** What is known of them; otherwise they stay as they were told last. */
  counts?: OperationCounts;
  message: string;
  evidence?: object;
}

const FIRST_REST_S = 5;
const MAX_REST_S = 600;

/** Runs as their workers take them, get on with them and end them. All times are the database's: workers need not agree on theirs. */
@Injectable()
export class OperationRunRepository {
  /** A new run, or the one that waits, or that a worker has left; undefined where somebody is at it, or it has just failed. */
  async startOrTakeOver(
    tx: SystemTx,
    { type, orgcode, subject, initiator }: NewOperationRun,
    staleSeconds: number,
  ): Promise<TakenRun | undefined> {
    const [run] = await tx.$queryRaw<TakenRun[]>`
      insert into operation_run as r (type, orgcode, subject, initiator, status, started_at, heartbeat_at, failed_before)
      select ${type}, ${orgcode ?? null}, ${subject}, ${initiator}, 'running', clock_timestamp(), clock_timestamp(),
        case when last.outcome = 'failed' then last.failed_before + 1 else 0 end
      from (values (1)) one left join lateral (
        select * from operation_run where type = ${type} and subject = ${subject} order by id desc limit 1) last on true
      where last.outcome is distinct from 'failed' or last.completed_at < clock_timestamp() - ${rest()}
      on conflict (type, subject) where status <> 'completed' do update set ${TAKEN}
      where r.status = 'queued' or r.heartbeat_at < clock_timestamp() - make_interval(secs => ${staleSeconds})
      returning id, takeovers`;
    return run;
  }

  /** The same for one that is known; undefined where another was faster, or it has ended. */
  async takeOver(tx: SystemTx, id: number, staleSeconds: number): Promise<TakenRun | undefined> {
    const [run] = await tx.$queryRaw<TakenRun[]>`
      update operation_run r set ${TAKEN}
      where r.id = ${id} and (r.status = 'queued' or r.status = 'running' and r.heartbeat_at < clock_timestamp() - make_interval(secs => ${staleSeconds}))
      returning id, takeovers`;
    return run;
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

  /** For who has it by another lease. */
  async beat(tx: SystemTx, id: number, counts: OperationCounts): Promise<void> {
    await tx.$executeRaw`
      update operation_run set heartbeat_at = clock_timestamp(), counts = ${JSON.stringify(counts)}::jsonb
      where id = ${id} and status = 'running'`;
  }

  /** A sign of life, with progress or without. False where the run is another's, or ended. */
  async beatOwn(tx: SystemTx, { id, takeovers }: TakenRun, counts: OperationCounts | undefined): Promise<boolean> {
    const told = counts === undefined ? null : JSON.stringify(counts);
    const count = await tx.$executeRaw`
      update operation_run set heartbeat_at = clock_timestamp(), counts = coalesce(${told}::jsonb, counts),
        lost_workers = case when counts is distinct from coalesce(${told}::jsonb, counts) then 0 else lost_workers end
      where id = ${id} and takeovers = ${takeovers} and status = 'running'`;
    return count === 1;
  }

  /** Stale from now on, so that whoever comes next takes it over. */
  async leave(tx: SystemTx, { id, takeovers }: TakenRun): Promise<void> {
    await tx.$executeRaw`
      update operation_run set heartbeat_at = 'epoch' where id = ${id} and takeovers = ${takeovers} and status = 'running'`;
  }

  /** For who has it by another lease. */
  async complete(tx: SystemTx | Tx, id: number, result: OperationResult): Promise<void> {
    await tx.$executeRaw`update operation_run set ${ended(result)} where id = ${id} and status = 'running'`;
  }

  /** False where the run is another's, or ended. */
  async completeOwn(tx: SystemTx, { id, takeovers }: TakenRun, result: OperationResult): Promise<boolean> {
    const count = await tx.$executeRaw`
      update operation_run set ${ended(result)} where id = ${id} and takeovers = ${takeovers} and status = 'running'`;
    return count === 1;
  }

  /** The end of one that failed in the hands of its worker. False where it is another's, or ended. */
  async failOwn(tx: SystemTx, { id, takeovers }: TakenRun, settlement: Settlement): Promise<boolean> {
    const count = await tx.$executeRaw`
      update operation_run r set ${settled(settlement)} where r.id = ${id} and r.takeovers = ${takeovers} and r.status = 'running'`;
    return count === 1;
  }

  /** Those after `afterId` that have lost their workers, or wait too long; oldest first. */
  stale(tx: SystemTx, afterId: number, limit: number): Promise<StaleRun[]> {
    return tx.$queryRaw`
      select r.id, r.type, r.orgcode, r.subject, r.lost_workers as "lostWorkers" from operation_run r
      where r.status <> 'completed' and r.id > ${afterId} and ${isStaleSql()} order by r.id limit ${limit}`;
  }

  /** How many have not ended. */
  async standing(tx: SystemTx): Promise<{ fresh_active: number; likely_stale: number }> {
    const [row] = await tx.$queryRaw<[{ fresh_active: number; likely_stale: number }]>`
      select count(*) filter (where not ${isStaleSql()})::int as fresh_active, count(*) filter (where ${isStaleSql()})::int as likely_stale
      from operation_run r where r.status <> 'completed'`;
    return row;
  }

  /** The end of one that is still stale: a worker that is back, or another reconciler, has the word. Answers whether it was us. */
  async settle(tx: SystemTx, id: number, settlement: Settlement): Promise<boolean> {
    const count = await tx.$executeRaw`
      update operation_run r set ${settled(settlement)} where r.id = ${id} and r.status <> 'completed' and ${isStaleSql()}`;
    return count === 1;
  }

  /** Of the oldest ones those that ended before then; answers how many are forgotten. */
  forget(tx: SystemTx, before: Date, atMost: number): Promise<number> {
    return tx.$executeRaw`
      delete from operation_run where status = 'completed' and completed_at < ${before}
        and id = any(array(select id from operation_run order by id limit ${atMost}))`;
  }
}

/** A worker that said that it leaves was not lost. */
const TAKEN = Prisma.sql`
  status = 'running', started_at = coalesce(r.started_at, clock_timestamp()), heartbeat_at = clock_timestamp(),
  takeovers = r.takeovers + 1, lost_workers = r.lost_workers + (r.status = 'running' and r.heartbeat_at <> 'epoch')::int`;

/** Before work whose last run failed begins anew: twice as long each time, up to ten minutes. */
function rest(): Prisma.Sql {
  return Prisma.sql`make_interval(secs => least(${MAX_REST_S}, ${FIRST_REST_S} * power(2, least(last.failed_before, 20))))`;
}

function ended({ outcome, counts, message, failures = [] }: OperationResult): Prisma.Sql {
  return Prisma.sql`
    status = 'completed', outcome = ${outcome}, completed_at = clock_timestamp(), counts = ${JSON.stringify(counts)}::jsonb,
    message = ${message}, failures = ${JSON.stringify(failures)}::jsonb`;
}

function settled(settlement: Settlement): Prisma.Sql {
  const { source, reasonCode, reasonMessage, outcome, counts, message, evidence = {} } = settlement;
  const failures = outcome === 'succeeded' ? [] : [{ code: reasonCode, message: reasonMessage }];
  return Prisma.sql`
    status = 'completed', outcome = ${outcome}, completed_at = clock_timestamp(), message = ${message},
    counts = coalesce(${counts === undefined ? null : JSON.stringify(counts)}::jsonb, r.counts),
    failures = ${JSON.stringify(failures)}::jsonb, reconciled_at = clock_timestamp(), reconciliation_source = ${source},
    reason_code = ${reasonCode}, reason_message = ${reasonMessage}, evidence = ${evidenceSql()} || ${JSON.stringify(evidence)}::jsonb`;
}

import { Injectable } from '@nestjs/common';
import { AuditService } from '../audit/audit.service.js';
import { deliveryId, type DeliveryKey } from '../delivery/delivery-reading.service.js';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/transaction.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Caller, OperatorCaller } from '../platform/http/caller.js';
import { DeadLetterActRepository } from './dead-letter-act.repository.js';
import { deadLetterLifecycle } from './dead-letter-lifecycle.js';
import type { Replayed, WritebackJob } from './dead-letter.dto.js';
import { jobToWire, operatorStatusOf, writebackStatusOf } from './dead-letter.mapper.js';
import { DeadLetterRepository, type LetterRow } from './dead-letter.repository.js';
import { operatorSafe } from './operator-redaction.js';
import { operatorErrors } from './operator.errors.js';
import { Turns } from './turns.js';

/** Why, and as part of what. */
export interface ActGrounds {
  reason?: string | undefined;
  bulkActId?: string | undefined;
}

interface Scene {
  tx: Tx;
  caller: Caller;
  grounds: ActGrounds;
  before: LetterRow;
}

/**
 * What operators may do with a dead letter. The delivery's row is locked first, so of all who ask at once each sees what the one before
 * has done; then come the mark, the new delivery, the timeline, and last the audit, which holds the organisation's chain. It is one
 * transaction: after a crash all of it is there or nothing.
 */
@Injectable()
export class DeadLetterActs {
  private readonly turns = new Turns();

  constructor(
    private readonly database: Database,
    private readonly letters: DeadLetterRepository,
    private readonly acts: DeadLetterActRepository,
    private readonly audit: AuditService,
  ) {}

  replay(operator: OperatorCaller, key: DeliveryKey, grounds: ActGrounds): Promise<Replayed> {
    return this.act({ ...operator, call: 'operator/writeback/replay' }, key, grounds, async (scene) => {
      const { tx, caller, before } = scene;
      assertReplayable(before);
      const number = await this.acts.replay(tx, caller.orgcode, key, grounds.bulkActId);
      if (number === undefined) throw new AppError(operatorErrors.alreadyReplayed);
      const replayKey = { ...key, replayNo: number };
      await this.note(scene, key, 'replayed', { replayedJobId: deliveryId(replayKey) });
      await this.note(scene, replayKey, 'created_by_replay', { replayOfJobId: deliveryId(key) });
      const originalJob = await this.recorded(scene, key);
      return { originalJob, replayJob: jobToWire(await this.found(tx, replayKey)) };
    });
  }

  acknowledge(operator: OperatorCaller, key: DeliveryKey, grounds: ActGrounds): Promise<WritebackJob> {
    return this.act({ ...operator, call: 'operator/writeback/acknowledge' }, key, grounds, async (scene) => {
      const { tx, caller, before } = scene;
      if (!deadLetterLifecycle.allows(operatorStatusOf(before), 'acknowledged'))
        throw new AppError(operatorErrors.alreadyAcknowledged);
      if (!(await this.acts.acknowledge(tx, caller.orgcode, key, grounds.bulkActId)))
        throw new AppError(operatorErrors.alreadyAcknowledged);
      await this.note(scene, key, 'acknowledged', {});
      return this.recorded(scene, key);
    });
  }

  /** Whether it carries the mark of a bulk act: its worker was lost after this one. */
  isMarkedBy(key: DeliveryKey, bulkActId: string): Promise<boolean> {
    return this.database.acrossOrganisations(
      'dead letters',
      async (tx) => (await this.letters.find(tx, key))?.bulkActId === bulkActId,
    );
  }

  private act<Result>(
    operator: OperatorCaller,
    key: DeliveryKey,
    grounds: ActGrounds,
    work: (scene: Scene) => Promise<Result>,
  ): Promise<Result> {
    return this.turns.take(deliveryId(key), () => this.actInTurn(operator, key, grounds, work));
  }

  private async actInTurn<Result>(
    operator: OperatorCaller,
    key: DeliveryKey,
    grounds: ActGrounds,
    work: (scene: Scene) => Promise<Result>,
  ): Promise<Result> {
    const orgcode = await this.database.acrossOrganisations('dead letters', (tx) =>
      this.letters.orgcodeOf(tx, key.lane),
    );
    if (orgcode === undefined) throw new AppError(operatorErrors.notFound);
    const caller = { ...operator, orgcode };
    try {
      return await this.database.transaction(orgcode, async (tx) => {
        if (!(await this.acts.lock(tx, orgcode, key))) throw new AppError(operatorErrors.notFound);
        const before = await this.found(tx, key);
        if (writebackStatusOf(before) === undefined) throw new AppError(operatorErrors.notFound);
        return work({ tx, caller, grounds: { ...grounds, reason: operatorSafe(grounds.reason) }, before });
      });
    } catch (error) {
      if (error instanceof AppError && error.failure.status === 409)
        await this.audit.refused(caller, error, statedIn({ reason: operatorSafe(grounds.reason) }));
      throw error;
    }
  }

  private note(
    { tx, caller, grounds }: Scene,
    key: DeliveryKey,
    act: Parameters<DeadLetterActRepository['note']>[3]['act'],
    more: Record<string, unknown>,
  ): Promise<void> {
    const { bulkActId } = grounds;
    const payload = { ...more, ...statedIn(grounds), ...(bulkActId !== undefined && { bulkActId }) };
    return this.acts.note(tx, caller.orgcode, key, { act, actor: caller.actor, payload });
  }

  /** As it is now, which the audit keeps beside what it was. */
  private async recorded({ tx, caller, grounds, before }: Scene, key: DeliveryKey): Promise<WritebackJob> {
    const after = jobToWire(await this.found(tx, key));
    await this.audit.recordDone(tx, caller, statedIn(grounds), {
      resource: { type: 'delivery', id: after.jobId },
      before: jobToWire(before),
      after,
    });
    return after;
  }

  private async found(tx: Tx, key: DeliveryKey): Promise<LetterRow> {
    const row = await this.letters.find(tx, key);
    if (!row) throw new AppError(operatorErrors.notFound);
    return row;
  }
}

/** Each refusal for its own reason: first what is wrong with the letter, then with where it would go. */
function assertReplayable(row: LetterRow): void {
  if (writebackStatusOf(row) !== 'dead_failed') throw new AppError(operatorErrors.notDeadFailed);
  if (!deadLetterLifecycle.allows(operatorStatusOf(row), 'replayed'))
    throw new AppError(operatorErrors.alreadyReplayed);
  if (row.webhookStatus === 'revoked') throw new AppError(operatorErrors.illegalTransition);
  if (row.webhookStatus === 'paused' || row.eventId === null) throw new AppError(operatorErrors.preconditionFailed);
}

function statedIn({ reason }: Pick<ActGrounds, 'reason'>): { reason?: string } {
  return reason === undefined ? {} : { reason };
}

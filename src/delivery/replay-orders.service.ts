import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { WriteService } from '../audit/write.service.js';
import { OperationRuns } from '../operations/operation-runs.service.js';
import { Database } from '../platform/database/database.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { WebhookReading } from '../webhook/webhook-reading.service.js';
import { replayErrors } from './replay.errors.js';
import { replayRun } from './replay-run.js';
import { ReplayRepository, type ReplayRecord } from './replay.repository.js';
import type {
  Replay,
  ReplayCancelRequest,
  ReplayData,
  ReplayRequest,
  ReplayStartRequest,
} from './webhook-replay.dto.js';

const DEFAULT_RATE = 100;

/** Replays that take longer than a call: ordered here, worked off by workers. */
@Injectable()
export class ReplayOrders {
  constructor(
    private readonly writes: WriteService,
    private readonly database: Database,
    private readonly replays: ReplayRepository,
    private readonly reading: WebhookReading,
    private readonly runs: OperationRuns,
  ) {}

  start(caller: Caller, request: ReplayStartRequest): Promise<Answer<ReplayData>> {
    const { orgcode } = caller;
    return this.writes.once(caller, request, async (tx) => {
      const { lane } = await this.reading.assertActiveWithin(tx, orgcode, request.webhook_id);
      const inserted = await this.replays.insert(tx, orgcode, {
        replayId: request.replay_id ?? `rpl_${randomBytes(9).toString('base64url')}`,
        webhookId: request.webhook_id,
        lane,
        only: request.only ?? 'all',
        service: request.service ?? null,
        fromUtc: request.from_utc ?? null,
        toUtc: request.to_utc ?? new Date().toISOString(),
        rate: request.rate ?? DEFAULT_RATE,
        reason: request.reason,
      });
      if (!inserted) throw new AppError(replayErrors.running);
      const { replayId } = inserted;
      const run = replayRun(orgcode, replayId, caller.actor);
      const replay = replayToWire(await this.replays.noteRun(tx, orgcode, replayId, await this.runs.queue(tx, run)));
      return { data: { replay }, audit: { resource: { type: 'replay', id: replayId }, after: replay } };
    });
  }

  async get({ orgcode }: Caller, { replay_id }: ReplayRequest): Promise<ReplayData> {
    const record = await this.database.read(orgcode, (db) => this.replays.find(db, orgcode, replay_id));
    if (!record) throw new AppError(replayErrors.notFound);
    return { replay: replayToWire(record) };
  }

  cancel(caller: Caller, request: ReplayCancelRequest): Promise<Answer<ReplayData>> {
    const { orgcode } = caller;
    return this.writes.once(caller, request, async (tx) => {
      const before = await this.replays.find(tx, orgcode, request.replay_id);
      if (!before) throw new AppError(replayErrors.notFound);
      await this.replays.askToCancel(tx, orgcode, request.replay_id);
      const replay = replayToWire(before);
      return {
        data: { replay },
        audit: {
          resource: { type: 'replay', id: before.replayId },
          before: replay,
          after: { ...replay, cancel_asked: true },
        },
      };
    });
  }
}

function replayToWire(record: ReplayRecord): Replay {
  const { replayId, webhookId, service, fromUtc, outcome, operationRunId, createdAt, updatedAt } = record;
  return {
    replay_id: replayId,
    webhook_id: webhookId,
    status: record.status as Replay['status'],
    ...(outcome !== null && { outcome: outcome as NonNullable<Replay['outcome']> }),
    only: record.only as Replay['only'],
    ...(service !== null && { service }),
    ...(fromUtc !== null && { from_utc: fromUtc }),
    to_utc: record.toUtc,
    rate: record.rate,
    matched: record.matched,
    queued: record.queued,
    delivered: record.delivered,
    failed: record.failed,
    ...(operationRunId !== null && { operation_run_id: operationRunId }),
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  };
}

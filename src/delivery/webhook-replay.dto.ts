import { Id, Integer, Limit, NextToken, OneOf, Part, Text, UtcTime } from '../platform/http/fields.js';
import { WriteRequest } from '../platform/http/request.dto.js';

export const REPLAYED = ['all', 'failed', 'missing'] as const;
export const REPLAY_STATUSES = ['queued', 'counting', 'running', 'completed'] as const;
export const REPLAY_OUTCOMES = ['succeeded', 'partially_succeeded', 'blocked', 'failed'] as const;
const MAX_REPLAY_RATE = 1_000;

export class WebhookReplayRequest extends WriteRequest {
  @Id() webhook_id!: string;
  @Text({ max: 64, optional: true }) service?: string;
  @UtcTime({ optional: true, description: 'On occurred_at, inclusive.' }) from_utc?: string;
  @UtcTime({ optional: true, description: 'On occurred_at, exclusive; now unless given.' }) to_utc?: string;
  @Limit() limit?: number;
  @NextToken() next_token?: object;
}

export class WebhookReplayed {
  @Text({ max: 128, optional: true }) webhook_id!: string;
  @Integer({ min: 0, max: 256, optional: true }) delivered!: number;
  @Integer({ min: 0, max: 256, optional: true }) failed!: number;
  @NextToken() next_token?: object;
}

export class ReplayStartRequest extends WriteRequest {
  @Id() webhook_id!: string;
  @Id({ optional: true }) replay_id?: string;
  @Text({ max: 64, optional: true }) service?: string;
  @UtcTime({ optional: true, description: 'On occurred_at, inclusive.' }) from_utc?: string;
  @UtcTime({ optional: true, description: 'On occurred_at, exclusive; now unless given.' }) to_utc?: string;
  @OneOf(REPLAYED, {
    optional: true,
    description: '`failed`: the dead ones; `missing`: never delivered; `all` unless given.',
  })
  only?: (typeof REPLAYED)[number];
  @Integer({ min: 1, max: MAX_REPLAY_RATE, optional: true, description: 'Events a second at most; 100 unless given.' })
  rate?: number;
}

export class ReplayRequest {
  @Id() replay_id!: string;
}

export class ReplayCancelRequest extends WriteRequest {
  @Id() replay_id!: string;
}

export class Replay {
  @Id() replay_id!: string;
  @Id() webhook_id!: string;
  @OneOf(REPLAY_STATUSES) status!: (typeof REPLAY_STATUSES)[number];
  @OneOf(REPLAY_OUTCOMES, { optional: true }) outcome?: (typeof REPLAY_OUTCOMES)[number];
  @OneOf(REPLAYED) only!: (typeof REPLAYED)[number];
  @Text({ max: 64, optional: true }) service?: string;
  @UtcTime({ optional: true }) from_utc?: string;
  @UtcTime() to_utc!: string;
  @Integer({ min: 1, max: MAX_REPLAY_RATE }) rate!: number;
  @Integer({ min: 0, max: 2 ** 31 - 1, description: 'Events to send, as far as they are counted.' }) matched!: number;
  @Integer({ min: 0, max: 2 ** 31 - 1, description: 'Put into the queue so far.' }) queued!: number;
  @Integer({ min: 0, max: 2 ** 31 - 1 }) delivered!: number;
  @Integer({ min: 0, max: 2 ** 31 - 1 }) failed!: number;
  @Integer({ min: 1, max: 2 ** 31 - 1, optional: true }) operation_run_id?: number;
  @UtcTime() created_at!: string;
  @UtcTime() updated_at!: string;
}

export class ReplayData {
  @Part(() => Replay) replay!: Replay;
}

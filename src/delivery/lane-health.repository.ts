import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { AGE_CLASSES } from './age-classes.js';

/** What a second of work says of a lane. */
export interface LaneNotes {
  orgcode: string;
  lane: bigint;
  activation: number;
  delivered: number;
  failed: number;
  dead: number;
  /** Failures that count for pausing: those of replays do not. */
  counting: number;
  /** Of these, those since the last success. */
  trailing: number;
  lastError: { error_tag: string; http_status?: number } | null;
  ages: number[];
}

export interface LaneState {
  lane: bigint;
  /** Failures in a row before these notes, and with them. */
  before: number;
  failures: number;
  failingSince: Date | null;
  /** By the database's clock, as the time before. */
  notedAt: Date;
}

@Injectable()
export class LaneHealthRepository {
  constructor(private readonly database: Database) {}

  /** Answers the state of those whose notes are of their present activation. */
  note(notes: readonly LaneNotes[]): Promise<LaneState[]> {
    return this.database.callAcross('delivery', {
      name: 'lane notes',
      call: 'ipm_note_lanes($1::text[], $2::bigint[], $3::integer[], $4::integer[], $5::integer[], $6::integer[], $7::integer[], $8::integer[], $9::jsonb[], $10::integer[], $11)',
      values: [
        notes.map(({ orgcode }) => orgcode),
        notes.map(({ lane }) => lane),
        notes.map(({ activation }) => activation),
        notes.map(({ delivered }) => delivered),
        notes.map(({ failed }) => failed),
        notes.map(({ dead }) => dead),
        notes.map(({ counting }) => counting),
        notes.map(({ trailing }) => trailing),
        notes.map(({ lastError }) => lastError && JSON.stringify(lastError)),
        notes.flatMap(({ ages }) => ages),
        AGE_CLASSES,
      ],
    });
  }

  /** Nothing is sent to these for so long. */
  async hold(holds: readonly { lane: bigint; forMs: number }[]): Promise<void> {
    await this.database.plainAcross('delivery', (tx) =>
      tx.rows(
        'lane hold',
        `update webhook_health h set not_before = clock_timestamp() + u.for_ms * interval '1 millisecond'
         from unnest($1::bigint[], $2::bigint[]) as u(lane, for_ms) where h.lane = u.lane`,
        [holds.map(({ lane }) => lane), holds.map(({ forMs }) => Math.ceil(forMs))],
      ),
    );
  }
}

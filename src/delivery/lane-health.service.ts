import { Injectable } from '@nestjs/common';
import { log } from '../platform/telemetry/logger.js';
import { WebhookTargets, type WebhookTarget } from '../webhook/webhook-targets.service.js';
import { AGE_CLASSES, ageClass } from './age-classes.js';
import { AutoPause } from './auto-pause.service.js';
import { isOpen, pauseAfter } from './circuit-breaker.js';
import { LaneHealthRepository, type LaneNotes, type LaneState } from './lane-health.repository.js';
import type { LeasedDelivery } from './leased-delivery.js';
import type { Verdict } from '../platform/outgoing/retry-schedule.js';

export interface LaneHold {
  lane: bigint;
  forMs: number;
}

/** How lanes fare: counted in memory and written together, so that a delivery costs no row of it. */
@Injectable()
export class LaneHealth {
  private notes = new Map<bigint, LaneNotes>();
  /** In a row and here: another process may know of more. */
  private readonly failures = new Map<bigint, number>();

  constructor(
    private readonly repository: LaneHealthRepository,
    private readonly targets: WebhookTargets,
    private readonly autoPause: AutoPause,
  ) {}

  /** True where this is news that should not wait: a lane that keeps failing, or one that is back. */
  note(delivery: LeasedDelivery, target: WebhookTarget, verdict: Verdict, httpStatus: number | undefined): boolean {
    const notes = this.notesOf(target);
    if (verdict.kind === 'delivered') return this.noteSuccess(notes, delivery);
    notes.failed += 1;
    if (verdict.kind === 'dead') notes.dead += 1;
    if (delivery.replayNo > 0) return false;
    notes.counting += 1;
    notes.trailing += 1;
    notes.lastError = { error_tag: verdict.errorTag, ...(httpStatus !== undefined && { http_status: httpStatus }) };
    const failures = (this.failures.get(target.lane) ?? 0) + 1;
    this.failures.set(target.lane, failures);
    return isOpen(failures);
  }

  /** As far as this process knows. */
  isFailing(lane: bigint): boolean {
    return isOpen(this.failures.get(lane) ?? 0);
  }

  /** Writes what was noted; answers the lanes to leave alone for a while. */
  async flush(): Promise<LaneHold[]> {
    const notes = [...this.notes.values()];
    if (notes.length === 0) return [];
    this.notes = new Map();
    try {
      const states = await this.repository.note(notes);
      const holds = states.flatMap((state) => this.holdOf(state));
      if (holds.length > 0) await this.repository.hold(holds);
      const byLane = new Map(notes.map((note) => [note.lane, note]));
      for (const state of states) await this.judge(state, byLane.get(state.lane));
      return holds;
    } catch (error) {
      log.warn({ err: error, lanes: notes.length }, 'how webhooks fare could not be written');
      return [];
    }
  }

  private noteSuccess(notes: LaneNotes, { lane, createdAt }: LeasedDelivery): boolean {
    notes.delivered += 1;
    notes.trailing = 0;
    const place = ageClass(Date.now() - createdAt.getTime());
    notes.ages[place] = (notes.ages[place] ?? 0) + 1;
    return this.failures.delete(lane);
  }

  private holdOf({ lane, failures, failingSince, notedAt }: LaneState): LaneHold[] {
    if (failures === 0) return [];
    this.failures.set(lane, failures);
    const failingMs = notedAt.getTime() - (failingSince ?? notedAt).getTime();
    const forMs = pauseAfter({ inARow: failures, forMs: failingMs }, Math.random);
    return forMs > 0 ? [{ lane, forMs }] : [];
  }

  private async judge(state: LaneState, notes: LaneNotes | undefined): Promise<void> {
    const target = this.targets.byLane(state.lane);
    if (!target || !notes?.lastError || state.failures === 0) return;
    if (target.activation !== notes.activation) return; // set active anew since they were counted
    await this.autoPause.judge(target, state, notes.lastError);
  }

  private notesOf({ orgcode, lane, activation }: WebhookTarget): LaneNotes {
    const known = this.notes.get(lane);
    if (known && known.activation === activation) return known;
    const ages = new Array<number>(AGE_CLASSES).fill(0);
    const fresh = {
      orgcode,
      lane,
      activation,
      delivered: 0,
      failed: 0,
      dead: 0,
      counting: 0,
      trailing: 0,
      lastError: null,
      ages,
    };
    this.notes.set(lane, fresh);
    return fresh;
  }
}

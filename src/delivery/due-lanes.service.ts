import { Injectable } from '@nestjs/common';

export interface DueLane {
  lane: bigint;
  orgcode: string;
}

const MAX_TIMED = 50_000;

/** Which lanes are believed to have something due, now or at a known time. A hint only: the sweep finds whatever is not here. */
@Injectable()
export class DueLanes {
  /** Called when there is something to take. */
  onDue: () => void = () => undefined;
  private readonly now = new Map<bigint, string>();
  private readonly later = new Map<bigint, { orgcode: string; atMs: number }>();

  /** `atMs` by `performance.now`. */
  note(lane: bigint, orgcode: string, atMs = 0): void {
    if (atMs <= performance.now()) {
      this.now.set(lane, orgcode);
      this.onDue();
      return;
    }
    const known = this.later.get(lane);
    if (known && known.atMs <= atMs) return;
    if (known || this.later.size < MAX_TIMED) this.later.set(lane, { orgcode, atMs });
  }

  has(lane: bigint): boolean {
    return this.now.has(lane);
  }

  get isEmpty(): boolean {
    return this.now.size === 0;
  }

  /** Those whose time has come are due now. */
  tick(): void {
    const nowMs = performance.now();
    for (const [lane, { orgcode, atMs }] of this.later) {
      if (atMs > nowMs) continue;
      this.later.delete(lane);
      this.now.set(lane, orgcode);
    }
    if (!this.isEmpty) this.onDue();
  }

  /** Up to so many, in turn: who takes one and leaves something notes it again, behind the others. */
  take(atMost: number): DueLane[] {
    const taken: DueLane[] = [];
    for (const [lane, orgcode] of this.now) {
      if (taken.length === atMost) break;
      this.now.delete(lane);
      taken.push({ lane, orgcode });
    }
    return taken;
  }
}

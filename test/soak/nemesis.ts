import { setTimeout as sleep } from 'node:timers/promises';
import type { Blow, Fault, Ground } from './fault.js';
import { FAULTS } from './soak-faults.js';

/** What became of a fault, all times that it came. */
export interface Struck extends Blow {
  fault: string;
  times: number;
  meets: string;
}

const OVERLAPS = 0.4;
const PAUSE_MS = [500, 4_000] as const;

/** Draws faults: each kind once before any comes again, some while others last, never two of one target at once. */
export class Nemesis {
  readonly struck: Struck[] = FAULTS.map(({ name, meets }) => ({
    fault: name,
    times: 0,
    meets,
    met: 0,
    extraAtMost: 0,
  }));
  private readonly lasting = new Map<string, Promise<void>>();
  private deck: Fault[] = [];

  constructor(
    private readonly ground: Ground,
    private readonly tell: (what: string) => void,
  ) {}

  get extraAtMost(): number {
    return this.struck.reduce((sum, { extraAtMost }) => sum + extraAtMost, 0);
  }

  async rage(forMs: number): Promise<void> {
    const { random } = this.ground;
    for (const until = Date.now() + forMs; Date.now() < until; await sleep(random.between(...PAUSE_MS))) {
      const fault = this.draw();
      await this.lasting.get(fault.target);
      const strike = this.strike(fault);
      this.lasting.set(fault.target, strike);
      if (!random.happens(OVERLAPS)) await strike;
    }
    await Promise.all(this.lasting.values());
  }

  private draw(): Fault {
    if (this.deck.length === 0) this.deck = this.ground.random.shuffled(FAULTS);
    return this.deck.pop()!;
  }

  private async strike(fault: Fault): Promise<void> {
    const struck = this.struck.find((one) => one.fault === fault.name)!;
    const fromMs = Date.now();
    this.tell(fault.name);
    struck.times += 1;
    const own = { ...this.ground, random: this.ground.random.branch() };
    const { met, extraAtMost } = await fault.strike(own).catch((error: unknown) => {
      this.ground.stage.ledger.strange(`${fault.name}: ${String(error)}`);
      return { met: 0, extraAtMost: 0 };
    });
    struck.met += met;
    struck.extraAtMost += extraAtMost;
    this.tell(`${met} ${fault.meets}; over after ${Math.round((Date.now() - fromMs) / 1_000)} s: ${fault.name}`);
  }
}

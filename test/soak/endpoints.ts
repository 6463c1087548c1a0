import type { Random } from '../faults/support/random.js';
import type { SinkAnswer, WebhookSink } from '../support/webhook-sink.js';

/** Endpoints as they are: mostly quick, sometimes slow, sometimes 500, sometimes the line breaks. Some fail for a while. */
export class Endpoints {
  /** Paths, with how many calls each has refused so far. */
  private readonly failing = new Map<string, number>();
  private isPlain = false;

  constructor(
    sink: WebhookSink,
    private readonly random: Random,
  ) {
    sink.answer = ({ path }) => this.answer(path);
  }

  fails(path: string): void {
    this.failing.set(path, 0);
  }

  /** How many calls it has refused. */
  isMended(path: string): number {
    const refused = this.failing.get(path) ?? 0;
    this.failing.delete(path);
    return refused;
  }

  /** From now on all is taken. */
  calm(): void {
    this.isPlain = true;
  }

  private answer(path: string): SinkAnswer {
    if (this.isPlain) return {};
    const refused = this.failing.get(path);
    if (refused !== undefined) {
      this.failing.set(path, refused + 1);
      return { status: 500 };
    }
    const chance = this.random.next();
    if (chance < 0.03) return { status: 500 };
    if (chance < 0.05) return { reset: true };
    if (chance < 0.09) return { afterMs: this.random.between(500, 1_500) };
    return { afterMs: this.random.between(20, 300) };
  }
}

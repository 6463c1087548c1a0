import type { TestDatabase } from '../../support/database.js';
import type { Door, Organisation } from './door.js';
import { Ledger, type LedgerFigures } from './ledger.js';
import { logState } from './log-state.js';
import { Random } from './random.js';

/** Where a fault is tried: a database with the product before it, and organisations that use it. */
export interface Stage {
  database: TestDatabase;
  doors: readonly Door[];
  organisations: readonly Organisation[];
}

export interface Outcome {
  seed: number;
  /** Broken promises; see Ledger. */
  complaints: string[];
  figures: LedgerFigures & Record<string, number>;
}

/** One run of a fault: what was said, heard and read in it, and by which chance. */
export class Trial {
  readonly random = Random.fresh();
  readonly ledger = new Ledger();
  private readonly begunMs = Date.now();

  constructor(public stage: Stage) {}

  async outcome(figures: Record<string, number> = {}): Promise<Outcome> {
    const log = await logState(
      this.stage.database,
      this.stage.organisations.map(({ orgcode }) => orgcode),
    );
    const seconds = Math.round((Date.now() - this.begunMs) / 1000);
    return {
      seed: this.random.seed,
      complaints: this.ledger.complaints(log),
      figures: { ...this.ledger.figures(log), ...figures, seconds },
    };
  }
}

/** What any kind of trial comes to. */
export interface Judgement {
  seed: number;
  complaints: string[];
  figures: object;
}

export function expectNothingWrong({ seed, complaints, figures }: Judgement): void {
  expect({ seed, figures, complaints }).toEqual({ seed, figures, complaints: [] });
}

/** For the long forms: what happened in a run that went well is worth a line too. */
export function tell(name: string, { seed, figures, complaints }: Judgement): void {
  const numbers = Object.entries(figures).map(([what, number]) => `${what} ${number}`);
  const broken = complaints.length === 0 ? '' : `; ${complaints.join(' | ')}`;
  process.stderr.write(`  ${name}: ${numbers.join(', ')} (FAULT_SEED=${seed})${broken}\n`);
}

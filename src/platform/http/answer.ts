import type { Stats } from './envelope.dto.js';

/** What a write answers: `data`, and what of the envelope is its own. */
export class Answer<Data extends object> {
  constructor(
    readonly data: Data,
    readonly stats: Stats,
    /** Set when `data` is one revisioned record. */
    readonly revision?: string,
    /** This is the first answer once more, for the same idempotency key. */
    readonly replayed = false,
  ) {}
}

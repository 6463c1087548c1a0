import type { BulkFailure } from './bulk.dto.js';

/** The job cannot go on, whoever tries it. */
export class JobFailure extends Error {
  constructor(
    readonly failure: BulkFailure,
    options?: ErrorOptions,
  ) {
    super(failure.message, options);
  }
}

import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import type { SystemTx } from '../database/transaction.js';
import { log } from '../telemetry/logger.js';

/**
 * Work that comes round: `@nestjs/schedule` rings in every worker, so whoever gets the name's lock does it and the others
 * pass. A round that takes longer than its interval is not joined by a second one in the same process.
 */
@Injectable()
export class Sweeps {
  private readonly atWork = new Set<string>();

  constructor(private readonly database: Database) {}

  /** Answers what the work answered, or undefined where somebody else is at it. */
  async alone<T>(name: string, work: (tx: SystemTx) => Promise<T>): Promise<T | undefined> {
    if (this.atWork.has(name)) return undefined;
    this.atWork.add(name);
    try {
      return await this.database.acrossOrganisations('housekeeping', async (tx) => {
        const [lock] = await tx.$queryRaw<
          [{ ours: boolean }]
        >`select pg_try_advisory_xact_lock(hashtextextended(${`sweep:${name}`}, 0)) as ours`;
        return lock.ours ? await work(tx) : undefined;
      });
    } catch (error) {
      log.warn({ err: error, sweep: name }, 'a sweep failed; it comes round again');
      return undefined;
    } finally {
      this.atWork.delete(name);
    }
  }
}

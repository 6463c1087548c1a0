import { randomUUID } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Database } from './database.js';
import { log } from '../telemetry/logger.js';
import type { SystemTx } from './transaction.js';

interface Identity {
  systemIdentifier: string;
  databaseOid: bigint;
}

/**
 * Which life of the database this is. A token of another life could skip or repeat rows unseen, so tokens are bound to the
 * epoch, and a database that finds itself in another cluster or under another oid (a copy, a restore) starts a new one.
 */
@Injectable()
export class DatabaseLife implements OnModuleInit {
  private currentEpoch: string | undefined;

  constructor(private readonly database: Database) {}

  get epoch(): string {
    if (this.currentEpoch === undefined) throw new Error('the database life was not read yet');
    return this.currentEpoch;
  }

  async onModuleInit(): Promise<void> {
    this.currentEpoch = await this.database.acrossOrganisations('database life', async (tx) => {
      const here = await identityOf(tx);
      await tx.databaseLife.createMany({ data: { ...here, epoch: randomUUID() }, skipDuplicates: true });
      const known = await lockedRow(tx);
      if (known.systemIdentifier === here.systemIdentifier && known.databaseOid === here.databaseOid)
        return known.epoch;
      log.warn(
        { was: known, is: here },
        'this database is a copy or a restore: a new epoch begins, tokens of the old one are refused',
      );
      return startEpoch(tx, here);
    });
  }

  /** `ipm epoch new`, after a restore in place, which the database cannot see by itself. */
  async begin(): Promise<string> {
    this.currentEpoch = await this.database.acrossOrganisations('database life', async (tx) =>
      startEpoch(tx, await identityOf(tx)),
    );
    return this.currentEpoch;
  }
}

async function identityOf(tx: SystemTx): Promise<Identity> {
  const [row] = await tx.$queryRaw<[Identity]>`
    select system_identifier::text as "systemIdentifier", (select oid::bigint from pg_database where datname = current_database()) as "databaseOid"
    from pg_control_system()`;
  return row;
}

/** Two processes that start on a fresh copy must agree on one epoch. */
async function lockedRow(tx: SystemTx): Promise<Identity & { epoch: string }> {
  const [row] = await tx.$queryRaw<[Identity & { epoch: string }]>`
    select epoch::text, system_identifier as "systemIdentifier", database_oid as "databaseOid" from database_life for update`;
  return row;
}

async function startEpoch(tx: SystemTx, here: Identity): Promise<string> {
  const { epoch } = await tx.databaseLife.update({
    where: { singleton: true },
    data: { ...here, epoch: randomUUID(), startedAt: new Date() },
  });
  return epoch;
}

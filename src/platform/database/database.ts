import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { PrismaPg } from '@prisma/adapter-pg';
import type { Pool, PoolClient, QueryResultRow } from 'pg';
import { Configuration } from '../config/configuration.js';
import { Prisma, PrismaClient } from '../../generated/prisma/client.js';
import { exactTypes, openPool } from './connection-pool.js';
import { isRetryableConflict, translateDatabaseError } from './database-errors.js';
import { DirectStatements } from './direct-statements.js';
import { StatementNames } from './statement-names.js';
import type { Db, Ending, PlainTx, Statement, SystemTx, SystemWork, Tx } from './transaction.js';

const TRANSACTION_TIMEOUTS = { maxWait: 3_000, timeout: 10_000 };
const ATTEMPTS_AFTER_CONFLICT = 4;
/** Sweeps, credential look-ups and operators are few: they must not take the connections of the callers. */
const SYSTEM_POOL_SIZE = 12;
const ORGCODE = /^[A-Za-z0-9_-]{1,64}$/;

export interface FunctionCall {
  name: string;
  /** `f(o.orgcode, $2, $3)`: the organisation is set before it runs, because it takes it from there. Over all of them: `f($1, $2)`. */
  call: string;
  /** From $2 on. */
  values: readonly unknown[];
}

export interface PoolConnections {
  pool: 'app' | 'system';
  busy: number;
  idle: number;
  waiting: number;
}

/** The two ways to Postgres: inside one organisation, and across all of them. Nothing else opens a connection to serve. */
@Injectable()
export class Database implements OnApplicationShutdown {
  private readonly appPool: Pool;
  private readonly systemPool: Pool;
  private readonly statements = new StatementNames();
  private readonly app: PrismaClient;
  private readonly system: PrismaClient;
  private readonly appStatements: DirectStatements;
  private readonly systemStatements: DirectStatements;

  constructor(configuration: Configuration) {
    const { url, poolSize } = configuration.database;
    this.appPool = openPool({ url, role: 'ipm_app', size: poolSize });
    this.systemPool = openPool({ url, role: 'ipm_system', size: SYSTEM_POOL_SIZE });
    const options = { statementNameGenerator: ({ sql }: { sql: string }) => this.statements.of(sql) as string };
    this.app = new PrismaClient({ adapter: new PrismaPg(this.appPool, options) });
    this.system = new PrismaClient({ adapter: new PrismaPg(this.systemPool, options) });
    this.appStatements = new DirectStatements(this.appPool, this.statements);
    this.systemStatements = new DirectStatements(this.systemPool, this.statements);
  }

  /** One transaction inside one organisation. Runs again when it lost against another, so the work must have no effect but its rows. */
  transaction<T>(orgcode: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.again(() =>
      inTransaction(this.app, this.appStatements, async (tx) => {
        await tx.$queryRaw`select set_config('ipm.orgcode', ${orgcode}, true)`;
        return work(tx as Tx);
      }),
    );
  }

  /** Reads that belong to one snapshot of one organisation. */
  read<T>(orgcode: string, work: (db: Db) => Promise<T>): Promise<T> {
    return this.transaction(orgcode, work);
  }

  /**
   * One read inside one organisation, for lists and other hot reads: measured at more than twice the rate of a Prisma
   * transaction (STACK.md, 6g). The statement is prepared once per connection and text, and is one round trip.
   */
  async rows<Row extends QueryResultRow>(orgcode: string, { text, values }: Prisma.Sql): Promise<Row[]> {
    if (!ORGCODE.test(orgcode)) return []; // it goes into the text below
    try {
      const client = await this.appPool.connect();
      // One round trip, because the pool pipelines. Where the first fails the statement has no organisation, and sees nothing.
      const [begun, read, ended] = await Promise.allSettled([
        client.query(`begin read only; select set_config('ipm.orgcode', '${orgcode}', true)`),
        client.query<Row>({ name: this.statements.of(text), text, values, types: exactTypes }),
        client.query('commit'),
      ]);
      const failed = [begun, read, ended].find((step) => step.status === 'rejected');
      client.release(failed !== undefined); // a connection that failed in the middle is not given to the next organisation
      if (read.status === 'rejected' || failed) throw failed?.reason;
      return read.value.rows;
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }

  /**
   * One call of a function that is a transaction of its own, in one round trip: for the append, whose round trips would cost
   * more than its work. The call names the organisation `o.orgcode`; prepared once per connection under its name.
   */
  async call<Row extends QueryResultRow>(orgcode: string, { name, call, values }: FunctionCall): Promise<Row[]> {
    const text = `select r.* from (select set_config('ipm.orgcode', $1, true) as orgcode offset 0) o cross join lateral ${call} r`;
    try {
      return (await this.appPool.query<Row>({ name, text, values: [orgcode, ...values], types: exactTypes })).rows;
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }

  /** Work over all organisations, as `ipm_system`. `reason` is one of the few that `SystemWork` names. */
  acrossOrganisations<T>(reason: SystemWork, work: (tx: SystemTx) => Promise<T>): Promise<T> {
    return this.again(() =>
      inTransaction(this.system, this.systemStatements, async (tx) => {
        await tx.$queryRaw`select set_config('application_name', ${`ipm_system: ${reason}`}, true)`; // for pg_stat_activity
        return work(tx as SystemTx);
      }),
    );
  }

  /** The same on a plain connection, for what was measured to need it. Nothing is tried again: who calls comes round. */
  plainAcross<T>(_reason: SystemWork, work: (tx: PlainTx) => Promise<T>): Promise<T> {
    return this.onSystemConnection(async (client) => {
      await client.query('begin');
      const result = await work(plainTxOn(client));
      await client.query('commit');
      return result;
    });
  }

  /**
   * The same in two round trips, for what follows each event. What is read goes with the begin, and must write nothing: where the begin
   * fails it is in no transaction. What is written goes with the commit. Undefined where the work has nothing to write.
   */
  plainAcrossInTwoTrips<First, Second, After>(
    _reason: SystemWork,
    reads: readonly [Statement<First>, Statement<Second>],
    work: (tx: PlainTx, first: First, second: Second) => Promise<Ending<After> | undefined>,
  ): Promise<{ written: readonly unknown[]; afterwards: After } | undefined> {
    return this.onSystemConnection(async (client) => {
      const tx = plainTxOn(client);
      const [, first, second] = await Promise.all([client.query('begin'), tx.run(reads[0]), tx.run(reads[1])]);
      const ending = await work(tx, first, second);
      if (!ending) {
        await client.query('rollback');
        return undefined;
      }
      const [written, , afterwards] = await Promise.all([
        Promise.all(ending.writes.map((write) => tx.run(write))),
        client.query('commit'), // undoes it where one of them has failed
        tx.run(ending.afterwards),
      ]);
      return { written, afterwards };
    });
  }

  /** One call of a function over all organisations that is a transaction of its own, in one round trip. */
  async callAcross<Row extends QueryResultRow>(
    _reason: SystemWork,
    { name, call, values }: FunctionCall,
  ): Promise<Row[]> {
    try {
      const text = `select r.* from ${call} r`;
      return (await this.systemPool.query<Row>({ name, text, values: [...values], types: exactTypes })).rows;
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }

  /** As the ordinary role with no organisation set: what the wall must hold back. For the wall's own check only. */
  async withoutOrganisation<Row extends QueryResultRow>(text: string): Promise<Row[]> {
    try {
      return (await this.appPool.query<Row>(text)).rows;
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }

  connections(): PoolConnections[] {
    return [
      { pool: 'app', ...statesOf(this.appPool) },
      { pool: 'system', ...statesOf(this.systemPool) },
    ];
  }

  /** Throws unless Postgres answers. */
  async ping(): Promise<void> {
    try {
      await this.appPool.query('select 1');
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }

  /** Last of all: whatever still runs needs its connection until it is done. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.app.$disconnect(), this.system.$disconnect()]);
    await Promise.all([this.appPool.end(), this.systemPool.end()]);
  }

  private async onSystemConnection<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    try {
      const client = await this.systemPool.connect();
      let broken: Error | undefined;
      try {
        return await work(client);
      } catch (error) {
        broken = error as Error;
        throw error;
      } finally {
        client.release(broken); // with it goes what it had begun
      }
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }

  private async again<T>(run: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await run();
      } catch (error) {
        if (attempt === ATTEMPTS_AFTER_CONFLICT || !isRetryableConflict(error)) throw translateDatabaseError(error);
        await sleep(Math.random() * 20 * attempt);
      }
    }
  }
}

function inTransaction<T>(
  prisma: PrismaClient,
  statements: DirectStatements,
  work: (tx: Prisma.TransactionClient) => Promise<T>,
): Promise<T> {
  return statements.during(() =>
    prisma.$transaction((tx) => statements.within(tx, TRANSACTION_TIMEOUTS.timeout, work), TRANSACTION_TIMEOUTS),
  );
}

function statesOf({ totalCount, idleCount, waitingCount }: Pool): Omit<PoolConnections, 'pool'> {
  return { busy: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
}

function plainTxOn(client: PoolClient): PlainTx {
  const rows = async <Row extends QueryResultRow>(
    name: string,
    text: string,
    values: readonly unknown[],
  ): Promise<Row[]> => (await client.query<Row>({ name, text, values: [...values], types: exactTypes })).rows;
  const run = async <Answer>({ name, text, values, answer }: Statement<Answer>): Promise<Answer> =>
    answer(await rows(name, text, values));
  return { rows, run } as PlainTx;
}

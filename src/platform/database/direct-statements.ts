import { AsyncLocalStorage } from 'node:async_hooks';
import type { Pool, PoolClient, QueryResult, QueryResultRow } from 'pg';
import { Prisma } from '../../generated/prisma/client.js';
import { exactTypes } from './connection-pool.js';
import type { StatementNames } from './statement-names.js';

/** Nobody asks the connection for anything so shortly before Prisma ends the transaction by its own clock, and gives it to somebody else. */
const MARGIN_MS = 500;

type Query = TemplateStringsArray | Prisma.Sql;

/** The connection that Prisma's adapter took for a transaction. */
interface Held {
  client: PoolClient | undefined;
  /** It is taken once: what is taken from the pool later is for somebody else. */
  isTaken: boolean;
  untilMs: number;
}

/**
 * Statements that are written out go to the connection of their transaction directly: begin, commit and everything else of it stay with
 * Prisma, whose way for a statement takes some 100 µs and ours 25.
 */
export class DirectStatements {
  private readonly held = new AsyncLocalStorage<Held>();

  constructor(
    pool: Pool,
    private readonly names: StatementNames,
  ) {
    const connect = pool.connect.bind(pool) as (...args: unknown[]) => unknown;
    pool.connect = ((...args: unknown[]) =>
      args.length > 0 ? connect(...args) : this.noted(connect() as Promise<PoolClient>)) as Pool['connect'];
  }

  /** Within it a transaction is begun, and its connection noted. */
  during<T>(begin: () => Promise<T>): Promise<T> {
    return this.held.run({ client: undefined, isTaken: false, untilMs: 0 }, begin);
  }

  /** Does the work of a transaction that has begun this moment and may take so long. What still goes on when the work has failed is refused. */
  async within<T>(
    tx: Prisma.TransactionClient,
    timeoutMs: number,
    work: (tx: Prisma.TransactionClient) => Promise<T>,
  ): Promise<T> {
    const held = this.held.getStore();
    if (!held?.client) return work(tx);
    held.untilMs = performance.now() + timeoutMs - MARGIN_MS;
    try {
      return await work(this.on(tx, held));
    } finally {
      held.client = undefined; // before Prisma's commit or rollback: what came behind it would be in no transaction
    }
  }

  private on(tx: Prisma.TransactionClient, held: Held): Prisma.TransactionClient {
    const run = (query: Query, values: unknown[]): Promise<QueryResult<QueryResultRow>> =>
      this.run(held, query, values);
    return Object.create(tx, {
      $queryRaw: { value: async (query: Query, ...values: unknown[]) => (await run(query, values)).rows },
      $executeRaw: { value: async (query: Query, ...values: unknown[]) => (await run(query, values)).rowCount ?? 0 },
    }) as Prisma.TransactionClient;
  }

  private async noted(connecting: Promise<PoolClient>): Promise<PoolClient> {
    const held = this.held.getStore();
    const client = await connecting;
    if (!held || held.isTaken) return client;
    held.isTaken = true;
    held.client = client;
    const release = client.release.bind(client);
    client.release = (broken) => {
      held.client = undefined;
      release(broken);
    };
    return client;
  }

  private run(held: Held, query: Query, values: unknown[]): Promise<QueryResult<QueryResultRow>> {
    const { client } = held;
    if (!client || performance.now() > held.untilMs) throw new Error('the transaction has ended, or took too long');
    const { text, values: bound } = 'raw' in query ? Prisma.sql(query, ...values) : query;
    return client.query({ name: this.names.of(text), text, values: bound, types: exactTypes });
  }
}

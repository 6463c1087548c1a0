import type { QueryResultRow } from 'pg';
import type { Prisma } from '../../generated/prisma/client.js';

/** SQL that a repository hands to another one's statement: what belongs together is one round trip. */
export type SqlPart = Prisma.Sql;

declare const insideTransaction: unique symbol;
declare const acrossOrganisations: unique symbol;

/** Enough to read: a transaction that sees one organisation. */
export type Db = Prisma.TransactionClient;

/** Needed to write: only `Database.transaction` makes one, so a write outside a transaction does not compile. */
export type Tx = Db & { readonly [insideTransaction]: true };

/** Sees every organisation: only `Database.acrossOrganisations` makes one, for the work that `SystemWork` names. */
export type SystemTx = Prisma.TransactionClient & { readonly [acrossOrganisations]: true };

/** Prepared once per connection under its name. */
export interface Statement<Answer = unknown> {
  name: string;
  text: string;
  values: readonly unknown[];
  /** What its rows say. */
  answer: (rows: QueryResultRow[]) => Answer;
}

/** How a transaction of two round trips ends. */
export interface Ending<After> {
  writes: readonly Statement[];
  /** Sees what others have committed before this one. */
  afterwards: Statement<After>;
}

/** As SystemTx, on a plain connection: for what runs so often that the cost of a statement counts. */
export interface PlainTx {
  readonly [acrossOrganisations]: true;
  rows: <Row extends QueryResultRow>(name: string, text: string, values: readonly unknown[]) => Promise<Row[]>;
  run: <Answer>(statement: Statement<Answer>) => Promise<Answer>;
}

/** Every reason to look over the tenant wall. A test compares this list with the calls in the source. */
export type SystemWork =
  | 'credential lookup'
  | 'organisation lookup'
  | 'organisation list'
  | 'key last used'
  | 'audit verification'
  | 'housekeeping'
  | 'event log layout'
  | 'event log upkeep'
  | 'event arrivals'
  | 'event routing'
  | 'delivery'
  | 'dead letters'
  | 'retention'
  | 'operation run'
  | 'operator view'
  | 'webhook targets'
  | 'secret reencryption'
  | 'bulk work'
  | 'inbox delivery'
  | 'kpi rules'
  | 'own kpis'
  | 'kpi rollup'
  | 'database life';

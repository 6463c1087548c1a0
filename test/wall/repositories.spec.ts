import { readFileSync } from 'node:fs';
import { Configuration } from '../../src/platform/config/configuration.js';
import { Database, type FunctionCall } from '../../src/platform/database/database.js';
import type { Db, PlainTx, Statement, SystemTx, SystemWork, Tx } from '../../src/platform/database/transaction.js';
import type { Prisma } from '../../src/generated/prisma/client.js';
import { sourceFiles } from '../support/source-files.js';
import { TestApi } from '../support/api.js';
import { layOutJobs } from './bulk-repository-calls.js';
import { layOutLog } from './log-repository-calls.js';
import { layOutRollup } from './kpi-repository-calls.js';
import { layOutWork } from './delivery-repository-calls.js';
import { layOutRun } from './operation-repository-calls.js';
import { rememberVerifier, repositories, type RepositoryCall } from './repository-calls.js';
import { anInhabitant, everyRow, type Inhabitant } from './two-organisations.js';

/** The product's own Database, whose every statement runs with one setting of the organisation, whatever the caller asks for. */
class PinnedDatabase extends Database {
  /** In whose hands work over all organisations is; without it, in those of the ordinary role. */
  across: SystemTx | undefined;

  constructor(
    configuration: Configuration,
    private readonly setting: string,
  ) {
    super(configuration);
  }
  override rows<Row extends object>(_orgcode: string, statement: Prisma.Sql): Promise<Row[]> {
    return this.pinned((tx) => tx.$queryRaw<Row[]>(statement));
  }
  override call<Row extends object>(orgcode: string, { call, values }: FunctionCall): Promise<Row[]> {
    const text = `select r.* from (select $1::text as orgcode) o cross join lateral ${call} r`;
    return this.pinned((tx) => tx.$queryRawUnsafe<Row[]>(text, orgcode, ...values));
  }
  override plainAcross<T>(_reason: SystemWork, work: (tx: PlainTx) => Promise<T>): Promise<T> {
    return this.across ? work(asPlain(this.across)) : this.pinned((tx) => work(asPlain(tx)));
  }
  override callAcross<Row extends object>(_reason: SystemWork, { call, values }: FunctionCall): Promise<Row[]> {
    return this.plainAcross(_reason, (tx) => tx.rows<Row>('', `select r.* from ${call} r`, values));
  }
  override read<T>(_orgcode: string, work: (db: Db) => Promise<T>): Promise<T> {
    return this.pinned(work);
  }
  override transaction<T>(_orgcode: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.pinned(work);
  }
  pinned<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return super.transaction(this.setting, work);
  }
}

/** The same transaction, spoken to as PlainTx is. */
function asPlain<Handle extends Tx | SystemTx>(tx: Handle): Handle & PlainTx {
  const rows = <Row extends object>(_name: string, text: string, values: readonly unknown[]): Promise<Row[]> =>
    tx.$queryRawUnsafe<Row[]>(text, ...values);
  const run = async <Answer>({ name, text, values, answer }: Statement<Answer>): Promise<Answer> =>
    answer(await rows(name, text, values));
  return Object.assign(tx, { rows, run }) as never;
}

class Undo extends Error {
  constructor(readonly answer: unknown) {
    super('undone');
  }
}

const calls = Object.entries(repositories).flatMap(([repository, { calls: ofIt }]) =>
  Object.entries(ofIt).map(([method, call]): [string, RepositoryCall<object>] => [
    `${repository}.${method}`,
    call as RepositoryCall<object>, // each is given a repository of its own class below
  ]),
);

describe('the tenant wall below the repositories', () => {
  let api: TestApi;
  let here: Inhabitant;
  let there: Inhabitant;
  const databases = new Map<string, PinnedDatabase>();

  beforeAll(async () => {
    api = await TestApi.start({ IPM_ROLE: 'api' }); // workers would take what is laid out here
    [here, there] = [await anInhabitant(api), await anInhabitant(api)];
    for (const table of ['api_key', 'session'] as const) {
      const [row] = await api.database.asOwner<{ verifier: Buffer }>(
        `select verifier from ${table} where orgcode = $1 limit 1`,
        [here.orgcode],
      );
      rememberVerifier(here.orgcode, table, row!.verifier);
    }
    await layOutLog(api.database, here.orgcode);
    await layOutWork(api.database, here);
    await layOutJobs(api.database, here);
    await layOutRollup(api.database, here.orgcode);
    await layOutRun(api.database, here.orgcode);
    // something for the sweeps to find
    await api.database.asOwner(
      `insert into idempotency_key (orgcode, route, key, request_hash, credential, expires_at) values ($1, 'r', 'old', '', 'c', now() - interval '1 day')`,
      [here.orgcode],
    );
    await api.database.asOwner(
      `insert into session (orgcode, session_id, verifier, fingerprint, actor, expires_at, created_by)
       values ($1, gen_random_uuid(), 'old', 'f', 'a', now() - interval '60 days', 'spec')`,
      [here.orgcode],
    );
  });
  afterAll(async () => {
    await Promise.all([...databases.values()].map((database) => database.onApplicationShutdown()));
    await api.close();
  });

  const databaseSetTo = (setting: string): PinnedDatabase => {
    const database = databases.get(setting) ?? new PinnedDatabase(api.app.get(Configuration), setting);
    databases.set(setting, database);
    return database;
  };

  const run = (
    name: string,
    call: RepositoryCall<object>,
    database: PinnedDatabase,
    tx: Tx | SystemTx,
  ): Promise<unknown> => {
    const repository = repositories[name.split('.')[0]!]!.make(database);
    return call.run(repository, { db: asPlain(tx as Tx & SystemTx), of: here });
  };

  /** Both organisations are laid out alike. */
  const sumOverBoth = (name: string, call: RepositoryCall<object>): Promise<number> => {
    const database = databaseSetTo(here.orgcode);
    return database.acrossOrganisations('housekeeping', async (tx) => {
      database.across = tx;
      const sum = (await run(name, call, database, tx)) as number;
      database.across = undefined;
      return sum;
    });
  };

  it('knows every method of every repository of the source', () => {
    const files = sourceFiles('.repository.ts');
    const namesIn = (file: string, pattern: RegExp): string[] => {
      const source = readFileSync(file, 'utf8');
      const [, repository] = /^export class (\w+)/m.exec(source) ?? [];
      return [...source.matchAll(pattern)]
        .filter(([, method]) => method !== 'constructor')
        .map(([, method]) => `${repository}.${method}`);
    };
    const methodsOf = (file: string): string[] => namesIn(file, /^ {2}(?:async )?(\w+)(?:<[^>]*>)?\(/gm);
    expect(files.length).toBeGreaterThan(0);
    expect(calls.map(([name]) => name).sort()).toEqual(files.flatMap(methodsOf).sort());
    const privates = new Set(files.flatMap((file) => namesIn(file, /^ {2}private (?:async )?(\w+)/gm)));
    for (const [name, { make }] of Object.entries(repositories)) {
      const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(make(api.app.get(Database)))).filter(
        (method) => method !== 'constructor' && !privates.has(`${name}.${method}`),
      );
      expect(methods.sort()).toEqual(Object.keys(repositories[name]!.calls).sort());
    }
  });

  it.each(calls)('%s works where the organisation is the right one', async (name, call) => {
    const database = databaseSetTo(call.setFor ?? here.orgcode);
    const undone = async (tx: Tx | SystemTx): Promise<never> => {
      database.across = call.system ? (tx as SystemTx) : undefined;
      const answer = await run(name, call, database, tx);
      throw new Undo(call.shows ? await call.shows({ db: asPlain(tx as Tx & SystemTx), of: here }) : answer);
    };
    const outcome = await (
      call.system ? database.acrossOrganisations('housekeeping', undone) : database.pinned(undone)
    ).catch((error: unknown) => error);
    database.across = undefined;
    expect(outcome).toBeInstanceOf(Undo);
    expect(isNothing((outcome as Undo).answer)).toBe(false);
  });

  describe.each([
    ['no organisation', () => ''],
    ['another organisation', () => there.orgcode],
  ])('with %s set', (_which, setting) => {
    it.each(calls)('%s sees no row of it and changes nothing', async (name, call) => {
      const before = await everyRow(api.database);
      const database = databaseSetTo(setting());
      const outcome = await database
        .pinned((tx) => run(name, call, database, tx))
        .catch((error: unknown) => refusal(error));
      if (call.sums && setting() === there.orgcode)
        expect(outcome).toBe((await sumOverBoth(name, call)) - (outcome as number));
      else expect(withoutOwn(outcome, setting())).toBeNothing();
      expect(await everyRow(api.database)).toEqual(before);
    });
  });
});

/** The wall or a missing grant refuses, or there is no row to change; anything else that fails is a fault of the spec. */
function refusal(error: unknown): undefined {
  const text = `${String(error)} ${JSON.stringify(error)}`;
  if (
    /row-level security|permission denied for (table|sequence|function)|inside a transaction of|No record was found|P2025/.test(
      text,
    )
  )
    return undefined;
  throw error;
}

/** `pageOfAll` asked by another organisation may show that one itself. */
function withoutOwn(outcome: unknown, setting: string): unknown {
  if (!Array.isArray(outcome)) return outcome;
  const isOwn = (row: { orgcode?: string } | string): boolean =>
    typeof row === 'string' ? row.endsWith(setting) : row.orgcode === setting;
  return outcome.filter((row: { orgcode?: string } | string) => setting === '' || !isOwn(row));
}

function isNothing(value: unknown): boolean {
  if (value instanceof Map || value instanceof Set) return value.size === 0;
  if (Array.isArray(value)) return value.length === 0;
  return value === undefined || value === null || value === false || value === 0;
}

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- jest's own way to add a matcher
  namespace jest {
    interface Matchers<R> {
      toBeNothing(): R;
    }
  }
}

expect.extend({
  toBeNothing: (value: unknown) => ({
    pass: isNothing(value),
    message: () =>
      `saw over the wall: ${JSON.stringify(value, (_k, v: unknown) => (typeof v === 'bigint' ? String(v) : v))}`,
  }),
});

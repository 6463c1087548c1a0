import { Prisma } from '../../src/generated/prisma/client.js';
import { Database } from '../../src/platform/database/database.js';
import type { Tx } from '../../src/platform/database/transaction.js';
import { TestApi } from '../support/api.js';

/** Who speaks, as Postgres sees it: its process and the organisation that is set. */
const WHO = Prisma.sql`select pg_backend_pid() as pid, current_setting('ipm.orgcode', true) as orgcode, txid_current() as txid`;

interface Who {
  pid: number;
  orgcode: string;
  txid: bigint;
}

describe('statements of a transaction that are written out', () => {
  let api: TestApi;
  let database: Database;

  beforeAll(async () => {
    api = await TestApi.start({ IPM_ROLE: 'api' });
    database = api.app.get(Database);
  });
  afterAll(() => api.close());

  const who = async (tx: Tx): Promise<Who> => {
    const [row] = await tx.$queryRaw<[Who]>(WHO);
    return row;
  };

  it('are of the transaction, beside those of Prisma, and go with it', async () => {
    const { orgcode } = await api.anOwner();
    const failing = database.transaction(orgcode, async (tx) => {
      await tx.organisation.update({ where: { orgcode }, data: { catalogVersion: 41n } });
      expect(
        await tx.$executeRaw`update organisation set catalog_version = catalog_version + 1 where orgcode = ${orgcode}`,
      ).toBe(1);
      expect(await tx.organisation.findUnique({ where: { orgcode } })).toMatchObject({ catalogVersion: 42n });
      throw new Error('undone');
    });
    await expect(failing).rejects.toThrow('undone');
    const [kept] = await database.rows<{ v: bigint }>(
      orgcode,
      Prisma.sql`select catalog_version as v from organisation where orgcode = ${orgcode}`,
    );
    expect(kept?.v).not.toBe(42n);
  });

  it('stay on their connection, whatever else is asked of the pool meanwhile', async () => {
    const [here, there] = [await api.anOwner(), await api.anOwner()];
    await database.transaction(here.orgcode, async (tx) => {
      const before = await who(tx);
      const [other] = await database.rows<Who>(there.orgcode, WHO);
      const nested = await database.transaction(there.orgcode, who);
      expect(await who(tx)).toEqual(before);
      expect([before.orgcode, other?.orgcode, nested.orgcode]).toEqual([here.orgcode, there.orgcode, there.orgcode]);
      expect(new Set([before.pid, other?.pid, nested.pid]).size).toBeGreaterThan(1);
    });
  });

  it('are refused when it has ended: its connection is somebody else’s', async () => {
    const { orgcode } = await api.anOwner();
    let kept: Tx | undefined;
    await database.transaction(orgcode, (tx) => {
      kept = tx;
      return Promise.resolve();
    });
    await expect(kept?.$queryRaw(WHO)).rejects.toThrow('the transaction has ended');
  });

  it('are refused when its work has failed, though a part of it goes on: they would be in no transaction', async () => {
    let goesOn: Promise<unknown> = Promise.resolve();
    const failing = database.acrossOrganisations('operator view', (tx) => {
      goesOn = tx
        .$queryRaw(WHO)
        .then(() => tx.$queryRaw(WHO))
        .catch((error: unknown) => error);
      return Promise.reject(new Error('the other part has failed'));
    });
    await expect(failing).rejects.toThrow('the other part has failed');
    expect(await goesOn).toMatchObject({ message: expect.stringContaining('the transaction has ended') as string });
  });

  it('are refused shortly before it is ended for taking too long', async () => {
    const { orgcode } = await api.anOwner();
    const clock = jest.spyOn(performance, 'now');
    const late = database.transaction(orgcode, async (tx) => {
      clock.mockReturnValue(performance.now() + 9_600);
      return who(tx);
    });
    await expect(late).rejects.toThrow('the transaction has ended');
    clock.mockRestore();
  });
});

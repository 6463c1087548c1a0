import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { writeGrounds } from '../support/api.js';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { HeldLock, waiterOf } from '../support/held-lock.js';
import { ProductProcess } from '../support/product-process.js';

const ORG = 'acme';
const KEY = 'a-bootstrap-key-of-more-than-32-characters';

jest.setTimeout(60_000);

describe('a process that is told to stop', () => {
  let database: TestDatabase;
  let process: ProductProcess;
  let lock: HeldLock | undefined;
  const agents: http.Agent[] = [];
  beforeAll(async () => (database = await testDatabase()));
  beforeEach(async () => {
    process = await ProductProcess.start(database.url, {
      IPM_BOOTSTRAP_ORGCODE: ORG,
      IPM_BOOTSTRAP_API_KEY: KEY,
      STOP_GRACE_SECONDS: '3',
    });
  });
  afterEach(async () => {
    for (const agent of agents.splice(0)) agent.destroy();
    await lock?.release();
    await process.stop('SIGKILL');
  });
  afterAll(() => database.drop());

  const call = (path: string, body: object): Promise<Response> =>
    fetch(`${process.url}/ipm${path}`, {
      method: 'POST',
      headers: { 'x-api-key': KEY, 'x-orgcode': ORG, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const holdChain = (): Promise<HeldLock> =>
    HeldLock.take(database, 'select 1 from audit_chain where orgcode = $1 for update', [ORG]);
  const write = (actor: string): Promise<Response> =>
    call('/access/session/open', { ...writeGrounds(ORG), actor, roles: ['auditor'] });
  const exit = async (): Promise<unknown[]> => {
    const { child } = process;
    return child.exitCode === null && child.signalCode === null
      ? once(child, 'exit')
      : [child.exitCode, child.signalCode];
  };
  const told = async (): Promise<void> => {
    while (!process.output.includes('IPM stops')) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'by %s answers what it is at, commits it, and exits with 0',
    async (signal) => {
      lock = await holdChain();
      const answers = [write(`a ${signal}`), write(`b ${signal}`), write(`c ${signal}`)];
      await waiterOf(database);
      process.child.kill(signal);
      await told();
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(process.child.exitCode).toBeNull();
      await lock.release();
      for (const answer of await Promise.all(answers)) {
        expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
        expect(await answer.json()).toMatchObject({ success: true });
      }
      expect(await exit()).toEqual([0, null]);
      expect(await database.asOwner('select 1 from session where actor like $1', [`% ${signal}`])).toHaveLength(3);
      expect(process.output).toContain('IPM stopped');
    },
  );

  it('takes no new connection, and says on one that is open that it is not ready', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    agents.push(agent);
    lock = await holdChain();
    const slow = write('slow');
    await waiterOf(database);
    expect(await probe(agent)).toEqual({
      status: 200,
      report: expect.objectContaining({ status: 'ready' }),
      connection: 'keep-alive',
    });
    process.child.kill('SIGTERM');
    await told();
    expect(await probe(agent)).toEqual({
      status: 503,
      report: { status: 'stopping', database: true, redis: true },
      connection: 'close',
    });
    await new Promise((resolve) => setTimeout(resolve, 300)); // until none came for a moment
    await expect(connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await lock.release();
    expect((await slow).status).toBe(200);
    expect(await exit()).toEqual([0, null]);
  });

  it('answers a call that was still at its credential', async () => {
    lock = await HeldLock.take(database, 'lock table api_key in access exclusive mode');
    const early = call('/pagination/get', {});
    await waiterOf(database);
    process.child.kill('SIGTERM');
    await told();
    await new Promise((resolve) => setTimeout(resolve, 600));
    await lock.release();
    expect((await early).status).toBe(200);
    expect(await exit()).toEqual([0, null]);
  });

  it('does not wait for clients that went away before their answer', async () => {
    lock = await HeldLock.take(database, 'lock table api_key in access exclusive mode');
    const gone = new AbortController();
    const headers = { 'x-api-key': KEY, 'x-orgcode': ORG, 'content-type': 'application/json' };
    const ask = { method: 'POST', headers, body: '{}', signal: gone.signal };
    const asked = Array.from({ length: 8 }, () => fetch(`${process.url}/ipm/pagination/get`, ask).catch(() => 'gone'));
    await waiterOf(database);
    gone.abort();
    expect(await Promise.all(asked)).toEqual(Array(8).fill('gone'));
    await lock.release();
    const begun = Date.now();
    expect(await process.stop()).toBe(0);
    expect(Date.now() - begun).toBeLessThan(2_000);
  });

  it('stops once, however often it is told', async () => {
    lock = await holdChain();
    const slow = write('told twice');
    await waiterOf(database);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGTERM'] as const) process.child.kill(signal);
    await told();
    await lock.release();
    expect((await slow).status).toBe(200);
    expect(await exit()).toEqual([0, null]);
    expect(process.output.match(/IPM stops/g)).toHaveLength(1);
  });

  it('stops at once when it is at nothing, leaving no connection in Postgres', async () => {
    expect((await call('/access/key/list', {})).status).toBe(200);
    const begun = Date.now();
    expect(await process.stop()).toBe(0);
    expect(Date.now() - begun).toBeLessThan(3_000);
    expect(
      await database.asOwner(
        `select 1 from pg_stat_activity where datname = current_database() and application_name like 'ipm_%'`,
      ),
    ).toEqual([]);
  });

  it('does not wait for a client that sends half a request beyond its grace', async () => {
    const socket = await connect();
    socket.write(
      'POST /ipm/access/key/list HTTP/1.1\r\nhost: x\r\nx-api-key: ' +
        KEY +
        '\r\nx-orgcode: acme\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
    );
    socket.on('error', () => undefined);
    const begun = Date.now();
    expect(await process.stop()).toBe(0);
    expect(Date.now() - begun).toBeLessThan(6_000);
  });

  it('loses none of the answers of callers that go on calling until they are told to go', async () => {
    let stopping = false;
    const caller = async (): Promise<{ answered: number; lost: number }> => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      agents.push(agent);
      for (let answered = 0; ; answered += 1) {
        const { status, connection } = await probe(agent, '/ipm/stat').catch((error: NodeJS.ErrnoException) => ({
          status: error.code,
          connection: 'error',
        }));
        if (connection === 'close') return { answered, lost: 0 };
        // the next one found the door closed before it said a word: nothing was accepted
        if (status !== 200) return { answered, lost: stopping && status === 'ECONNREFUSED' ? 0 : 1 };
      }
    };
    const callers = Array.from({ length: 16 }, caller);
    await new Promise((resolve) => setTimeout(resolve, 300));
    stopping = true;
    process.child.kill('SIGTERM');
    for (const { answered, lost } of await Promise.all(callers)) expect([answered > 0, lost]).toEqual([true, 0]);
    expect(await exit()).toEqual([0, null]);
  });

  const connect = async (): Promise<net.Socket> => {
    const socket = net.connect(Number(new URL(process.url).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.unref();
    return socket;
  };

  const probe = (
    agent: http.Agent,
    path = '/health/ready',
  ): Promise<{ status: number | string | undefined; report: unknown; connection: string | undefined }> =>
    new Promise((resolve, reject) => {
      http
        .get(`${process.url}${path}`, { agent }, (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          answer.on('error', reject);
          answer.on('end', () =>
            resolve({ status: answer.statusCode, report: JSON.parse(text), connection: answer.headers.connection }),
          );
        })
        .on('error', reject);
    });
});

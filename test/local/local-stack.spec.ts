import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { DataFolder } from '../../src/local/data-folder.js';
import { freePort } from '../../src/local/free-port.js';
import { accountForPostgres, temporaryFolderFor } from '../../src/local/server-account.js';
import type { RunningStack } from '../../src/local/stack-file.js';
import type { ProcessRecord } from '../../src/local/stop-process.js';
import { gone, StartedProgram } from './started-program.js';

jest.setTimeout(60_000);

describe('the local stack', () => {
  let place: string;
  let folder: DataFolder;
  let port: number;
  let stacks: StartedProgram[];

  beforeEach(async () => {
    place = temporaryFolderFor(accountForPostgres(''), 'ipm-stack-');
    folder = new DataFolder(path.join(place, 'data'));
    port = await freePort();
    stacks = [];
  });
  afterEach(async () => {
    for (const stack of stacks) stack.process.kill('SIGTERM');
    await Promise.all(stacks.map((stack) => stack.ended()));
    await gone(...children().map(({ pid }) => pid));
    rmSync(place, { recursive: true, force: true });
  });

  const start = (environment: NodeJS.ProcessEnv = {}): StartedProgram => {
    const stack = new StartedProgram('small-stack.mjs', [], {
      IPM_DATA_DIR: folder.path,
      PORT: String(port),
      ...environment,
    });
    stacks.push(stack);
    return stack;
  };
  const startAndServe = async (): Promise<StartedProgram> => {
    const stack = start();
    await stack.says('IPM is serving');
    return stack;
  };
  const children = (): ProcessRecord[] =>
    existsSync(folder.processesFile)
      ? (JSON.parse(readFileSync(folder.processesFile, 'utf8')) as { processes: ProcessRecord[] }).processes
      : [];
  const description = (): RunningStack => JSON.parse(readFileSync(folder.stackFile, 'utf8')) as RunningStack;
  const query = async (sql: string): Promise<unknown[]> => {
    const client = new pg.Client({ connectionString: description().database_url });
    await client.connect();
    const { rows } = await client.query(sql);
    await client.end();
    return rows;
  };

  it('serves, says how to call it, and after Ctrl-C and a new start has the same data and keys', async () => {
    const first = await startAndServe();
    const before = description();
    expect(first.output).toContain(`-H 'x-api-key: ${before.api_key}' -H 'x-orgcode: demo'`);
    expect(before).toMatchObject({ base_url: `http://127.0.0.1:${port}`, orgcode: 'demo', pid: first.pid });
    expect((await fetch(`${before.base_url}/health/ready`)).status).toBe(200);
    for (const file of [folder.stackFile, folder.secretsFile, folder.credentialsFile]) {
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }
    await query('CREATE TABLE kept AS SELECT 42 AS answer');
    const pids = children().map(({ pid }) => pid);
    expect(
      children()
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(['app', 'postgres', 'redis']);
    first.process.kill('SIGINT');
    expect(await first.ended()).toBe(0);
    await gone(...pids);
    expect(existsSync(folder.stackFile)).toBe(false);

    await startAndServe();
    const { pid, started_at, ...after } = description();
    expect(before).toMatchObject(after);
    expect([pid, started_at]).not.toEqual([before.pid, before.started_at]);
    expect(await query('SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it.each(['SIGTERM', 'SIGHUP'] as const)('stops every child on %s, also in the middle of a start', async (signal) => {
    const stack = start();
    await stack.says('Redis');
    const pids = children().map(({ pid }) => pid);
    stack.process.kill(signal);
    expect(await stack.ended()).toBe(0);
    await gone(...pids);
    expect(children()).toEqual([]);
  });

  it('ends a deaf app at the second Ctrl-C, but takes npm’s echo of the first one for no second', async () => {
    const stack = start({ SMALL_APP_IS_DEAF: 'yes' });
    await stack.says('IPM is serving');
    stack.process.kill('SIGINT');
    stack.process.kill('SIGTERM');
    await delay(1_500);
    expect(stack.process.exitCode).toBeNull();
    const secondAt = Date.now();
    stack.process.kill('SIGINT');
    expect(await stack.ended()).toBe(0);
    expect(Date.now() - secondAt).toBeLessThan(8_000);
    expect(children()).toEqual([]);
  });

  it('refuses a second start on the same folder in one line, and leaves the first alone', async () => {
    const first = await startAndServe();
    const second = start({ PORT: String(await freePort()) });
    expect(await second.ended()).toBe(1);
    expect(second.lines).toHaveLength(1);
    expect(second.output).toMatch(new RegExp(`^Already running on ${folder.path}: process ${first.pid}\\.`));
    expect((await fetch(`${description().base_url}/health/ready`)).status).toBe(200);
  });

  it('names a taken port in one line and how to choose another, before it starts anything', async () => {
    const somebody = net.createServer();
    await new Promise<void>((resolve) => somebody.listen(port, '127.0.0.1', resolve));
    const stack = start();
    expect(await stack.ended()).toBe(1);
    expect(stack.lines).toEqual([
      `Port ${port} is taken by another program: choose another, for example PORT=${port + 1} npm start.`,
    ]);
    expect(existsSync(folder.postgres)).toBe(false);
    somebody.close();
  });

  it('names a data folder that is a file', async () => {
    writeFileSync(path.join(place, 'file'), '');
    const stack = start({ IPM_DATA_DIR: path.join(place, 'file') });
    expect(await stack.ended()).toBe(1);
    expect(stack.output).toContain(`${place}/file is not a folder`);
  });

  it('leaves nothing running after kill -9, and starts again with the data', async () => {
    const first = await startAndServe();
    await query('CREATE TABLE kept AS SELECT 42 AS answer');
    const pids = children().map(({ pid }) => pid);
    first.kill();
    await first.ended();
    await gone(...pids);
    await startAndServe();
    expect(await query('SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('clears up at the next start when the watchdog was killed too', async () => {
    const first = await startAndServe();
    const { watchdog } = JSON.parse(readFileSync(folder.processesFile, 'utf8')) as { watchdog: number };
    const pids = children().map(({ pid }) => pid);
    process.kill(watchdog, 'SIGKILL');
    first.kill();
    await first.ended();
    const second = await startAndServe();
    expect(second.output).toContain('Stopped 3 processes that a killed start had left behind');
    await gone(...pids);
  });

  it.each(['app', 'redis', 'postgres'] as const)('says so and stops the rest when %s is lost', async (kind) => {
    const stack = await startAndServe();
    const before = children();
    process.kill(before.find((child) => child.kind === kind)!.pid, 'SIGKILL');
    expect(await stack.ended()).toBe(1);
    expect(stack.output).toContain(`${kind} ended unexpectedly (signal SIGKILL)`);
    await gone(...before.map(({ pid }) => pid));
  });
});

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { identityOf } from '../../src/local/process-identity.js';
import { eventually, gone, StartedProgram } from './started-program.js';

jest.setTimeout(60_000);

interface Family {
  folder: string;
  watchdog: number;
  child: number;
}

describe('the watchdog', () => {
  let bystander: ChildProcess;
  let parent: StartedProgram;

  beforeEach(async () => {
    bystander = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
    parent = new StartedProgram('watched-parent.mjs', [String(bystander.pid)]);
    await parent.says('\n');
  });

  afterEach(async () => {
    parent.kill();
    bystander.kill('SIGKILL');
    await gone(bystander.pid!, parent.pid);
  });

  const family = (): Family => JSON.parse(parent.lines.at(-1)!) as Family;

  it('stops the children of a parent killed with -9, removes its folder and ends', async () => {
    const { folder, watchdog, child } = family();
    parent.kill();
    await gone(child, watchdog);
    expect(existsSync(folder)).toBe(false);
  });

  it('never signals a process that only has the pid of a recorded one', async () => {
    parent.kill();
    await gone(family().watchdog);
    expect(identityOf(bystander.pid!)).toBeDefined();
  });

  it('is replaced when it dies, by one that knows the children', async () => {
    const { watchdog: first, child } = family();
    process.kill(first, 'SIGKILL');
    await eventually(
      () => family().watchdog !== first,
      () => 'another watchdog',
    );
    parent.kill();
    await gone(child, family().watchdog);
  });

  it('outlives signals that are meant for its parent', async () => {
    const { folder, watchdog, child } = family();
    const log = path.join(folder, 'watchdog.log');
    await eventually(
      () => readFileSync(log, 'utf8').includes('watching'),
      () => 'the watchdog',
    );
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(watchdog, signal);
    parent.kill();
    await gone(child, watchdog);
  });
});

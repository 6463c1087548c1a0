import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DataFolderLock } from '../../src/local/data-folder-lock.js';
import { identityOf } from '../../src/local/process-identity.js';
import { eventually, gone, StartedProgram } from './started-program.js';

jest.setTimeout(60_000);

describe('the lock of a data folder', () => {
  let folder: string;

  beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'ipm-lock-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('refuses a second holder with one line that names the first', () => {
    DataFolderLock.acquire(folder);
    expect(() => DataFolderLock.acquire(folder)).toThrow(
      new RegExp(`^Already running on .*: process ${process.pid}\\. .*$`),
    );
  });

  it('is free again after its release', () => {
    DataFolderLock.acquire(folder).release();
    DataFolderLock.acquire(folder).release();
    expect(readdirSync(folder)).toEqual(['2']);
  });

  it('is taken over from a holder that was killed', async () => {
    const holder = new StartedProgram('lock-contender.mjs');
    holder.process.stdin!.write(`${folder}\n`);
    await holder.says('held');
    expect(() => DataFolderLock.acquire(folder)).toThrow(`process ${holder.pid}`);
    holder.kill();
    await gone(holder.pid);
    DataFolderLock.acquire(folder);
    expect(JSON.parse(readFileSync(path.join(folder, '2'), 'utf8'))).toEqual(identityOf(process.pid));
  });

  it('is taken over when the holder’s pid belongs to another process by now', () => {
    writeFileSync(path.join(folder, '7'), JSON.stringify({ pid: process.pid, startTime: 'another boot/1' }));
    DataFolderLock.acquire(folder);
    expect(readdirSync(folder)).toEqual(['8']);
  });

  it('goes to exactly one of several that start at once, over a dead holder or none', async () => {
    const contenders = Array.from({ length: 4 }, () => new StartedProgram('lock-contender.mjs'));
    await Promise.all(contenders.map((contender) => contender.says('ready')));
    const rounds = Array.from({ length: 60 }, (_, round) => path.join(folder, `round-${round}`));
    rounds.forEach((lockFolder, round) => {
      mkdirSync(lockFolder);
      if (round % 2) writeFileSync(path.join(lockFolder, '1'), JSON.stringify({ pid: 1, startTime: 'another boot/1' }));
    });
    for (const contender of contenders) contender.process.stdin!.write(`${rounds.join('\n')}\n`);
    // Who ends is dead, and a dead holder may be succeeded: none ends before all have tried.
    await eventually(
      () => contenders.every((contender) => contender.lines.length === 1 + rounds.length),
      () => 'every answer',
    );
    for (const contender of contenders) contender.process.stdin!.end();
    await Promise.all(contenders.map((contender) => contender.ended()));
    for (const [round] of rounds.entries()) {
      const answers = contenders.map((contender) => contender.lines[round + 1]);
      expect(answers.filter((answer) => answer === 'held')).toHaveLength(1);
      expect(answers.filter((answer) => answer?.startsWith('Already running'))).toHaveLength(3);
    }
  });

  it('is never held by two, however often it changes hands', async () => {
    const cyclers = Array.from({ length: 4 }, () => new StartedProgram('lock-cycler.mjs', [folder, '120']));
    await Promise.all(cyclers.map((cycler) => cycler.ended()));
    expect(cyclers.map((cycler) => cycler.lines)).toEqual(cyclers.map(() => ['done']));
  });
});

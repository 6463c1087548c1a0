import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ManagedProcess } from '../../src/local/managed-process.js';
import { ProcessRecords } from '../../src/local/process-records.js';
import { explainStorageError, StartProblem } from '../../src/local/start-problem.js';

describe('what is in the way of a start', () => {
  let folder: string;

  beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'ipm-problem-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['ENOSPC', 'No space left on the disk of /data: free some, or choose another folder with IPM_DATA_DIR=/path.'],
    ['53100', 'No space left on the disk of /data: free some, or choose another folder with IPM_DATA_DIR=/path.'],
    [
      'EACCES',
      '/data is not writable for this user: change its owner, or choose another folder with IPM_DATA_DIR=/path.',
    ],
    [
      'EROFS',
      '/data is on a read-only file system: make it writable, or choose another folder with IPM_DATA_DIR=/path.',
    ],
  ])('is one line for the cause %s', (code, line) => {
    const explained = explainStorageError(Object.assign(new Error('some call failed'), { code }), '/data');
    expect(explained).toEqual(new StartProblem(line));
  });

  it('stays as it came when the disk has no part in it', () => {
    const error = new TypeError('a mistake of ours');
    expect(explainStorageError(error, '/data')).toBe(error);
  });

  const ended = async (script: string): Promise<Error> => {
    const child = new ManagedProcess(
      {
        kind: 'initdb',
        command: '/bin/sh',
        args: ['-c', script],
        environment: {},
        folder: '/',
        logFile: path.join(folder, 'child.log'),
      },
      new ProcessRecords(path.join(folder, 'processes.json')),
    );
    await child.exited;
    return child
      .waitUntil(() => false, 1_000)
      .then(
        () => new Error('ready'),
        (error: Error) => error,
      );
  };

  it('is the disk when a child has said so', async () => {
    expect((await ended('echo "could not write: No space left on device"; exit 1')).message).toContain(
      'No space left on the disk of',
    );
  });

  it('is otherwise shown as the child’s name, end and last lines', async () => {
    const { message } = await ended('echo first; echo last; exit 3');
    expect(message).toBe(
      `initdb ended unexpectedly (exit code 3). Its last lines (all: ${folder}/child.log):\n  first\n  last`,
    );
  });

  it('is said of a program that cannot be started at all', async () => {
    const child = new ManagedProcess(
      {
        kind: 'initdb',
        command: '/nowhere/initdb',
        args: [],
        environment: {},
        folder: '/',
        logFile: path.join(folder, 'child.log'),
      },
      new ProcessRecords(path.join(folder, 'processes.json')),
    );
    expect(await child.exited).toContain('ENOENT');
  });
});

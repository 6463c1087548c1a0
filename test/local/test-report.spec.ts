import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { problemsOf, processesMarked, testFilesOnDisk, type TestReport } from '../../src/local/test-report.js';
import { eventually } from './started-program.js';

describe('the checks of a test run', () => {
  let root: string;

  beforeEach(() => {
    root = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'ipm-report-')));
    for (const folder of ['src/webhook', 'test/e2e', 'test/faults', 'test/soak', 'test/compose']) {
      mkdirSync(path.join(root, folder), { recursive: true });
      writeFileSync(path.join(root, folder, 'a.spec.ts'), '');
    }
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const suite = (name: string, ...statuses: string[]): TestReport['testResults'][number] => ({
    name: path.join(root, name),
    status: statuses.includes('failed') || statuses.length === 0 ? 'failed' : 'passed',
    assertionResults: statuses.map((status) => ({ status, fullName: `is ${status}` })),
  });
  const problems = (whole: boolean, ...testResults: TestReport['testResults']): string[] =>
    problemsOf({ testResults, numPassedTests: 0, numFailedTests: 0 }, { root, whole });

  it('know every test file of the tree but those that run on their own', () => {
    expect(testFilesOnDisk(root).map((file) => path.relative(root, file))).toEqual([
      'src/webhook/a.spec.ts',
      'test/e2e/a.spec.ts',
    ]);
  });

  it('find nothing to say when every file was run and every test passed', () => {
    expect(problems(true, suite('src/webhook/a.spec.ts', 'passed'), suite('test/e2e/a.spec.ts', 'passed'))).toEqual([]);
  });

  it('name a file that was not run, unless the run was of a part', () => {
    expect(problems(true, suite('src/webhook/a.spec.ts', 'passed'))).toEqual(['was not run: test/e2e/a.spec.ts']);
    expect(problems(false, suite('src/webhook/a.spec.ts', 'passed'))).toEqual([]);
  });

  it('name skipped and planned tests', () => {
    expect(
      problems(true, suite('src/webhook/a.spec.ts', 'pending', 'passed'), suite('test/e2e/a.spec.ts', 'todo')),
    ).toEqual(['pending: src/webhook/a.spec.ts: is pending', 'todo: test/e2e/a.spec.ts: is todo']);
  });

  it('count a file that could not be run, an empty run and a missing report as failures', () => {
    expect(problems(false, suite('src/webhook/a.spec.ts'))).toEqual(['could not be run: src/webhook/a.spec.ts']);
    expect(problems(false)).toEqual(['no test was run']);
    expect(problemsOf(undefined, { root, whole: true })).toEqual(['jest ended without a report']);
  });

  it('find processes by the mark they were started with', async () => {
    const mark = `mark-${process.pid}-${Date.now()}`;
    const marked = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], {
      env: { ...process.env, MARK: mark },
    });
    await eventually(
      () => processesMarked(mark).length === 1,
      () => 'the marked process',
    );
    expect(processesMarked(mark)[0]?.pid).toBe(marked.pid);
    marked.kill('SIGKILL');
    await eventually(
      () => processesMarked(mark).length === 0,
      () => 'its end',
    );
  });
});

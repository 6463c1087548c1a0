import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';

/** Run on their own: they need root, minutes or a Docker engine. */
export const separateTestFolders = ['test/faults', 'test/soak', 'test/compose'];

/** What is read of the report that jest writes with `--json`. */
export interface TestReport {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { name: string; status: string; assertionResults: { status: string; fullName: string }[] }[];
}

export interface MarkedProcess {
  pid: number;
  command: string;
}

export function readTestReport(file: string): TestReport | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as TestReport) : undefined;
}

/** Every test file of the tree as it lies on the disk, whatever jest's configuration or git thinks of it. */
export function testFilesOnDisk(root: string): string[] {
  const separate = separateTestFolders.map((folder) => path.join(root, folder) + path.sep);
  return ['src', 'test']
    .map((folder) => path.join(root, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => path.join(folder, name)),
    )
    .filter((file) => file.endsWith('.spec.ts') && !separate.some((folder) => file.startsWith(folder)))
    .sort();
}

/** What a run must be able to show beside jest's own verdict. Each problem is a sentence, and counts as one failure. */
export function problemsOf(report: TestReport | undefined, run: { root: string; whole: boolean }): string[] {
  if (!report) return ['jest ended without a report'];
  const problems = report.testResults
    .filter((suite) => suite.status === 'failed' && suite.assertionResults.length === 0)
    .map((suite) => `could not be run: ${path.relative(run.root, suite.name)}`);
  if (report.testResults.length === 0) problems.push('no test was run');
  return run.whole ? [...problems, ...filesNotRun(report, run.root), ...testsNotRun(report, run.root)] : problems;
}

function filesNotRun(report: TestReport, root: string): string[] {
  const run = new Set(report.testResults.map((suite) => suite.name));
  return testFilesOnDisk(root)
    .filter((file) => !run.has(realpathSync(file)))
    .map((file) => `was not run: ${path.relative(root, file)}`);
}

function testsNotRun(report: TestReport, root: string): string[] {
  return report.testResults.flatMap((suite) =>
    suite.assertionResults
      .filter(({ status }) => status !== 'passed' && status !== 'failed')
      .map(({ status, fullName }) => `${status}: ${path.relative(root, suite.name)}: ${fullName}`),
  );
}

/** Processes that carry this mark in the environment they were started with: whatever a run has started, however deep. */
export function processesMarked(mark: string): MarkedProcess[] {
  const found = existsSync('/proc/self/environ') ? markedInProc(mark) : markedInPs(mark);
  return found.filter(({ pid }) => pid !== process.pid);
}

function markedInProc(mark: string): MarkedProcess[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((name) => {
    try {
      if (!readFileSync(`/proc/${name}/environ`, 'latin1').includes(mark)) return [];
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return [{ pid: Number(name), command }];
    } catch {
      return []; // It ended, or is somebody else's.
    }
  });
}

function markedInPs(mark: string): MarkedProcess[] {
  const lines = execFileSync('ps', ['-A', '-E', '-ww', '-o', 'pid=,command='], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  return lines
    .split('\n')
    .filter((line) => line.includes(mark))
    .map((line) => ({ pid: Number.parseInt(line, 10), command: line.trim().slice(0, 200) }));
}

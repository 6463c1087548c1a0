import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { lastLogLines, openLog } from './log-file.js';
import { identityOf } from './process-identity.js';
import type { ProcessRecords } from './process-records.js';
import { noSpaceLeft, StartProblem } from './start-problem.js';
import { stopProcess, type ProcessKind, type ProcessRecord } from './stop-process.js';

export interface LaunchOptions {
  kind: ProcessKind;
  command: string;
  args: string[];
  environment: NodeJS.ProcessEnv;
  folder: string;
  runAs?: { uid: number; gid: number } | undefined;
  /** Without one the child writes to our own terminal. */
  logFile?: string;
  /** Given to the child and closed: for what must not stand on a command line that everybody can read. */
  input?: string;
}

/** A child in a session of its own, so that a Ctrl-C at the terminal reaches only us and we decide the order of stopping. */
export class ManagedProcess {
  readonly exited: Promise<string>;
  private readonly child: ChildProcess;
  private readonly record: ProcessRecord | undefined;
  private endedHow: string | undefined;

  constructor(
    private readonly options: LaunchOptions,
    records: ProcessRecords,
  ) {
    this.child = launch(options);
    const { pid } = this.child;
    const identity = pid === undefined ? undefined : identityOf(pid);
    this.record = identity && { ...identity, kind: options.kind };
    if (this.record) records.add(this.record);
    this.exited = new Promise((resolve) => {
      const end = (how: string): void => {
        this.endedHow = how;
        if (this.record) records.remove(this.record.pid);
        resolve(how);
      };
      this.child.once('error', (error) => end(error.message));
      this.child.once('exit', (code, signal) => end(signal === null ? `exit code ${code}` : `signal ${signal}`));
    });
    this.child.stdin?.on('error', () => undefined).end(options.input);
  }

  get kind(): ProcessKind {
    return this.options.kind;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get hasEnded(): boolean {
    return this.endedHow !== undefined;
  }

  get exitCode(): number | null {
    return this.child.exitCode;
  }

  lastLines(count: number): string[] {
    return this.options.logFile === undefined ? [] : lastLogLines(this.options.logFile, count);
  }

  async stop(hurry?: AbortSignal): Promise<void> {
    if (this.record) await stopProcess(this.record, hurry);
    await this.exited;
  }

  /** Looks again and again until the child is ready; throws when it ended instead, took too long, or we are to stop. */
  async waitUntil(isReady: () => boolean | Promise<boolean>, timeoutMs: number, stopping?: AbortSignal): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      stopping?.throwIfAborted();
      const hadEnded = this.hasEnded;
      if (await isReady()) return;
      if (hadEnded) throw this.endedProblem();
      if (Date.now() > deadline) throw this.problem(`${this.kind} was not ready after ${timeoutMs / 1000} s`);
      await delay(10);
    }
  }

  endedProblem(): Error {
    return this.problem(`${this.kind} ended unexpectedly (${this.endedHow})`);
  }

  private problem(what: string): StartProblem {
    const { logFile, folder } = this.options;
    const lines = this.lastLines(12);
    if (lines.some((line) => /No space left on device|ENOSPC/.test(line))) return noSpaceLeft(logFile ?? folder);
    if (logFile === undefined) return new StartProblem(`${what}.`);
    return new StartProblem(
      [`${what}. Its last lines (all: ${logFile}):`, ...lines.map((line) => `  ${line}`)].join('\n'),
    );
  }
}

function launch(options: LaunchOptions): ChildProcess {
  const log = options.logFile === undefined ? 'inherit' : openLog(options.logFile);
  try {
    return spawn(options.command, options.args, {
      cwd: options.folder,
      detached: true,
      env: options.environment,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', log, log],
      ...(options.runAs && { uid: options.runAs.uid, gid: options.runAs.gid }),
    });
  } finally {
    if (typeof log === 'number') closeSync(log);
  }
}

import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { identityOf } from '../../src/local/process-identity.js';

const PATIENCE_MS = 30_000;

/** A program of fixtures/ in a process of its own, and what it has said. */
export class StartedProgram {
  readonly process: ChildProcess;
  output = '';

  constructor(fixture: string, args: string[] = [], environment: NodeJS.ProcessEnv = {}) {
    const script = path.join(__dirname, 'fixtures', fixture);
    this.process = spawn(process.execPath, [script, ...args], { env: { ...process.env, ...environment } });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
  }

  get pid(): number {
    return this.process.pid!;
  }

  get lines(): string[] {
    return this.output.split('\n').filter((line) => line !== '');
  }

  async says(text: string): Promise<void> {
    await eventually(
      () => this.output.includes(text),
      () => `${JSON.stringify(text)} in: ${this.output}`,
    );
  }

  /** The exit code, or the signal that ended it. */
  async ended(): Promise<number | string | null> {
    const { process: child } = this;
    if (child.exitCode === null && child.signalCode === null)
      await new Promise((resolve) => child.once('close', resolve));
    return child.exitCode ?? child.signalCode;
  }

  kill(): void {
    this.process.kill('SIGKILL');
  }
}

export async function eventually(holds: () => boolean | Promise<boolean>, describe: () => string): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > until) throw new Error(`waited in vain for ${describe()}`);
    await delay(20);
  }
}

export async function gone(...pids: number[]): Promise<void> {
  await eventually(
    () => pids.every((pid) => identityOf(pid) === undefined),
    () => `the end of ${pids.filter((pid) => identityOf(pid)).join(', ')}`,
  );
}

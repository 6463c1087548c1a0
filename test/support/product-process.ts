import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../src/local/free-port.js';
import { productEnvironment } from './environment.js';

const READY_WITHIN_MS = 20_000;

/** The built product as a process of its own, as an operator runs it. */
export class ProductProcess {
  output = '';

  private constructor(
    readonly child: ChildProcess,
    readonly url: string,
  ) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString('utf8')));
  }

  static async start(databaseUrl: string, overrides: Record<string, string | undefined> = {}): Promise<ProductProcess> {
    const port = String(await freePort());
    const environment = productEnvironment(databaseUrl, {
      PORT: port,
      LOG_LEVEL: 'info',
      IPM_PUBLIC_URL: undefined,
      ...overrides,
    });
    const child = spawn(process.execPath, ['dist/main.js'], {
      env: { PATH: process.env.PATH, ...environment },
      stdio: 'pipe',
    });
    const started = new ProductProcess(child, `http://127.0.0.1:${port}`);
    await started.untilReady();
    return started;
  }

  /** The exit code; null when a signal ended it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const exited = once(this.child, 'exit');
    this.child.kill(signal);
    await exited;
    return this.child.exitCode;
  }

  private async untilReady(): Promise<void> {
    const deadline = Date.now() + READY_WITHIN_MS;
    while (Date.now() < deadline && this.child.exitCode === null) {
      const answer = await fetch(`${this.url}/health/ready`).catch(() => undefined);
      if (answer?.status === 200) return;
      await sleep(50);
    }
    await this.stop('SIGKILL');
    throw new Error(`the product did not become ready:\n${this.output}`);
  }
}

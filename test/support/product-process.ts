import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../src/local/free-port.js';
import { productEnvironment } from './environment.js';

/** A start takes two seconds of a processor; five at once, where others are busy too, took more than twenty. */
const READY_WITHIN_MS = 60_000;
const PROBE_TIMEOUT_MS = 5_000;
const MOST_ATTEMPTS = 3;

/** Told of each process when it is there, long before it is ready. */
export type ProcessBegins = (pid: number) => void;

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

  static async start(
    databaseUrl: string,
    overrides: Record<string, string | undefined> = {},
    begins?: ProcessBegins,
  ): Promise<ProductProcess> {
    for (let attempt = 1; ; attempt += 1) {
      const started = await ProductProcess.launch(databaseUrl, overrides);
      begins?.(started.child.pid!);
      try {
        await started.untilReady();
        return started;
      } catch (error) {
        const isPortTaken = started.output.includes('EADDRINUSE'); // since it was found free
        if (!isPortTaken || attempt === MOST_ATTEMPTS) throw error;
      }
    }
  }

  /** Not ready yet, for who expects that it may not live so long. */
  static begun(databaseUrl: string, overrides: Record<string, string | undefined> = {}): Promise<ProductProcess> {
    return ProductProcess.launch(databaseUrl, overrides);
  }

  /** The exit code; null when a signal ended it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const exited = once(this.child, 'exit');
    this.child.kill(signal);
    await exited;
    return this.child.exitCode;
  }

  private static async launch(
    databaseUrl: string,
    overrides: Record<string, string | undefined>,
  ): Promise<ProductProcess> {
    const port = String(await freePort());
    const environment = productEnvironment(databaseUrl, {
      PORT: port,
      LOG_LEVEL: 'info',
      IPM_PUBLIC_URL: undefined,
      ...overrides,
    });
    const child = spawn(process.execPath, ['dist/main.js'], {
      // The mark of the run, so that what a killed run leaves behind is found.
      env: { PATH: process.env.PATH, IPM_TEST_RUN: process.env.IPM_TEST_RUN, ...environment },
      stdio: 'pipe',
    });
    return new ProductProcess(child, `http://127.0.0.1:${port}`);
  }

  private async untilReady(): Promise<void> {
    const deadline = Date.now() + READY_WITHIN_MS;
    while (Date.now() < deadline && this.child.exitCode === null) {
      const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
      const answer = await fetch(`${this.url}/health/ready`, { signal }).catch(() => undefined);
      if (answer?.status === 200) return;
      await sleep(50);
    }
    await this.stop('SIGKILL');
    throw new Error(`the product did not become ready:\n${this.output}`);
  }
}

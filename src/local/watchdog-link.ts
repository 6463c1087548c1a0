import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import type { ProcessRecord } from './stop-process.js';

export type WatchdogMessage =
  { add: ProcessRecord } | { remove: number } | { removeFolder: string } | { finished: true };

const RESTART_AFTER_MS = 500;

/**
 * The supervisor's end of the watchdog's input. The kernel closes it however the supervisor ends, `kill -9` included, and the
 * watchdog then stops what was recorded here. A watchdog that dies is replaced.
 */
export class Watchdog {
  private readonly records = new Map<number, ProcessRecord>();
  private readonly foldersToRemove: string[] = [];
  private finishing = false;
  private process: ChildProcess;

  constructor(
    private readonly logFile: string,
    private readonly script = path.join(import.meta.dirname, 'watchdog.js'),
  ) {
    this.process = this.launch();
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  add(record: ProcessRecord): void {
    this.records.set(record.pid, record);
    this.send({ add: record });
  }

  remove(pid: number): void {
    if (this.records.delete(pid)) this.send({ remove: pid });
  }

  removeFolderAfterwards(folder: string): void {
    this.foldersToRemove.push(folder);
    this.send({ removeFolder: folder });
  }

  /** Everything was stopped in order: the watchdog has only its folders left to remove. */
  async finish(): Promise<void> {
    this.finishing = true;
    this.send({ finished: true });
    const { process: watchdog } = this;
    if (watchdog.exitCode !== null || watchdog.signalCode !== null) return;
    const exited = new Promise((resolve) => watchdog.once('exit', resolve));
    watchdog.ref();
    watchdog.stdin?.end();
    await exited;
  }

  private launch(): ChildProcess {
    const log = openSync(this.logFile, 'a', 0o600);
    const watchdog = spawn(process.execPath, [this.script], { detached: true, cwd: '/', stdio: ['pipe', log, log] });
    closeSync(log);
    watchdog.unref();
    watchdog.on('error', () => undefined);
    watchdog.stdin?.on('error', () => undefined);
    watchdog.once('exit', () => this.relaunchUnlessFinishing());
    return watchdog;
  }

  private relaunchUnlessFinishing(): void {
    if (this.finishing) return;
    setTimeout(() => {
      if (this.finishing) return;
      this.process = this.launch();
      for (const record of this.records.values()) this.send({ add: record });
      for (const folder of this.foldersToRemove) this.send({ removeFolder: folder });
    }, RESTART_AFTER_MS).unref();
  }

  private send(message: WatchdogMessage): void {
    this.process.stdin?.write(`${JSON.stringify(message)}\n`);
  }
}

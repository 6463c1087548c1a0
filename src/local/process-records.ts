import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { DataFolder } from './data-folder.js';
import { readPrivateJson, writePrivateJson } from './private-file.js';
import { commandLineOf, identityOf, isRunning } from './process-identity.js';
import { stopInOrder, type ProcessRecord } from './stop-process.js';
import type { Watchdog } from './watchdog-link.js';

/** Every child of this process: told to the watchdog, and written down for the next start in case the watchdog dies too. */
export class ProcessRecords {
  private readonly records = new Map<number, ProcessRecord>();

  constructor(
    private readonly file: string,
    private readonly watchdog?: Watchdog,
  ) {}

  add(record: ProcessRecord): void {
    this.records.set(record.pid, record);
    // The watchdog first: its pipe needs no disk.
    this.watchdog?.add(record);
    this.write();
  }

  remove(pid: number): void {
    this.records.delete(pid);
    this.watchdog?.remove(pid);
    this.write();
  }

  /** Stops whatever still runs, in order. */
  async stopAll(hurry?: AbortSignal): Promise<void> {
    const records = [...this.records.values()];
    await stopInOrder(records, hurry);
    // Their exits may not have been told to us yet, and nobody waits for that.
    for (const record of records) if (!isRunning(record)) this.remove(record.pid);
  }

  private write(): void {
    try {
      writePrivateJson(this.file, { watchdog: this.watchdog?.pid, processes: [...this.records.values()] });
    } catch {
      // A full disk must not keep a child from being stopped; the watchdog knows it.
    }
  }
}

/** Stops what an earlier supervisor and its watchdog left behind on this folder; answers how many processes that were. */
export async function stopLeftovers(folder: DataFolder): Promise<number> {
  const recorded = readPrivateJson<{ processes: ProcessRecord[] }>(folder.processesFile)?.processes ?? [];
  const unrecorded = postgresOf(folder.postgres);
  const leftovers = [...recorded, ...(unrecorded ? [unrecorded] : [])].filter(isRunning);
  const distinct = [...new Map(leftovers.map((record) => [record.pid, record])).values()];
  await stopInOrder(distinct);
  return distinct.length;
}

/** The server named in the cluster's own pid file: it counts only if its command line names this cluster. */
function postgresOf(cluster: string): ProcessRecord | undefined {
  try {
    const pid = Number(readFileSync(path.join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0]);
    const identity = Number.isInteger(pid) && pid > 1 ? identityOf(pid) : undefined;
    return identity && commandLineOf(pid).includes(cluster) ? { ...identity, kind: 'postgres' } : undefined;
  } catch {
    return undefined;
  }
}

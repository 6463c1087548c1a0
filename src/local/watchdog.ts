// Runs beside a supervisor, in a session of its own, and does nothing until the supervisor's end of its input closes.
import { createInterface } from 'node:readline';
import { removeFolder } from './remove-folder.js';
import { stopInOrder, type ProcessRecord } from './stop-process.js';
import type { WatchdogMessage } from './watchdog-link.js';

const records = new Map<number, ProcessRecord>();
const foldersToRemove: string[] = [];
let finished = false;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const messages = createInterface({ input: process.stdin });
messages.on('line', (line) => take(JSON.parse(line) as WatchdogMessage));
messages.on('close', () => void cleanUp());
console.log(`${new Date().toISOString()} watching`);

function take(message: WatchdogMessage): void {
  if ('add' in message) records.set(message.add.pid, message.add);
  if ('remove' in message) records.delete(message.remove);
  if ('removeFolder' in message) foldersToRemove.push(message.removeFolder);
  if ('finished' in message) finished = true;
}

async function cleanUp(): Promise<void> {
  if (!finished) {
    console.log(
      `${new Date().toISOString()} the supervisor is gone; stopping ${JSON.stringify([...records.values()])}`,
    );
    await stopInOrder([...records.values()]);
  }
  for (const folder of foldersToRemove) await removeFolder(folder);
  process.exit(0);
}

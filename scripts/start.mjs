// `npm start`: installs and builds what is missing, then hands over to dist/local/start.js.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { assertNodeVersion, isPrepared, PreparationFailed, prepare } from './preparation.mjs';

const root = path.resolve(import.meta.dirname, '..');

try {
  assertNodeVersion();
  await prepareUnlessAbandoned();
} catch (error) {
  console.error(error instanceof PreparationFailed ? error.message : error);
  process.exit(1);
}

await import('../dist/local/start.js');

async function prepareUnlessAbandoned() {
  const wasPrepared = isPrepared();
  if (!wasPrepared) await assertPortFree();
  const before = wasPrepared ? undefined : launchers();
  prepare((line) => console.log(`  ${line}`));
  // Killed during the minute of installing, npm cannot tell us to stop; from here on the supervisor looks out for that.
  const abandoned = process.env.npm_lifecycle_event && !wasPrepared && launchers() !== before;
  if (abandoned) throw new PreparationFailed('Stopped: the npm that started this is gone.');
}

/** A look before that minute. What a killed start left behind may hold the port: the supervisor clears that up. */
async function assertPortFree() {
  const dataFolder = process.env.IPM_DATA_DIR ? path.resolve(process.env.IPM_DATA_DIR) : path.join(root, '.ipm');
  if (existsSync(path.join(dataFolder, 'processes.json'))) return;
  const port = Number(process.env.PORT || 3000);
  if (!(port > 0 && port < 65_536)) {
    throw new PreparationFailed(`PORT must be a number from 1 to 65535, not “${process.env.PORT}”.`);
  }
  const taken = await new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', (error) => resolve(error.code === 'EADDRINUSE'));
    server.listen(port, process.env.HOST || '127.0.0.1', () => server.close(() => resolve(false)));
  });
  if (taken)
    throw new PreparationFailed(`Port ${port} is taken: choose another, for example PORT=${port + 1} npm start.`);
}

/** Our parent and its parent: npm is the one or, behind a shell, the other. */
function launchers() {
  return `${process.ppid} ${parentOf(process.ppid)}`;
}

function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
  } catch {
    try {
      return execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    } catch {
      return '';
    }
  }
}

// What the process inside may do, asked of the kernel rather than of Docker.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';

const status = readFileSync('/proc/self/status', 'utf8');
const statusOf = (name) => parseInt(new RegExp(`^${name}:\\s*(\\w+)$`, 'm').exec(status)[1], 16);

function outcomeOfWriting(folder) {
  try {
    writeFileSync(`${folder}/probe`, '');
    rmSync(`${folder}/probe`);
    return 'written';
  } catch ({ code }) {
    return code;
  }
}

console.log(
  JSON.stringify({
    uid: process.getuid(),
    capabilities: statusOf('CapEff') + statusOf('CapBnd'),
    noNewPrivileges: statusOf('NoNewPrivs') === 1,
    writes: Object.fromEntries(process.argv.slice(1).map((folder) => [folder, outcomeOfWriting(folder)])),
    heapMb: getHeapStatistics().heap_size_limit / 1024 / 1024,
  }),
);

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';

/** Of the kernel, on every Linux platform that Node runs on. */
const TICKS_PER_SECOND = 100;

export function machine() {
  return {
    cores: os.cpus().length,
    cpu: os.cpus()[0]?.model ?? 'unknown',
    memory_gb: Math.round(os.totalmem() / 1024 ** 3),
    system: `${os.type()} ${os.release()}`,
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
    load_average_before: Number(os.loadavg()[0].toFixed(2)),
  };
}

export function residentMegabytes(pid) {
  const kilobytes = execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
  return Number(kilobytes.trim()) / 1024;
}

/** CPU that a process has used so far, all threads; undefined where there is no /proc. */
export function cpuSeconds(pid) {
  const stat = statOf(pid);
  return stat && stat.own / TICKS_PER_SECOND;
}

/** The same with all its children, those that have ended too: of Postgres, whose connections are processes. */
export function familyCpuSeconds(pid) {
  const stat = statOf(pid);
  if (!stat) return undefined;
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && statOf(name)?.parent === pid);
  const ofChildren = children.reduce((sum, child) => sum + (statOf(child)?.own ?? 0), 0);
  return (stat.own + stat.endedChildren + ofChildren) / TICKS_PER_SECOND;
}

/** CPU that the whole machine has used so far, also for other work than ours. */
export function machineCpuSeconds() {
  try {
    const [, user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'utf8')
      .split(/\s+/, 9)
      .map(Number);
    return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}

function statOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    return { parent: fields[1], own: fields[11] + fields[12], endedChildren: fields[13] + fields[14] };
  } catch {
    return undefined; // no /proc, or it has just ended
  }
}

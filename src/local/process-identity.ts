import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** A process that cannot be mistaken for a later one that was given the same pid. */
export interface ProcessIdentity {
  pid: number;
  startTime: string;
}

const hasProc = existsSync('/proc/self/stat');

/** Undefined when no such process runs; a zombie counts as gone. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const startTime = hasProc ? startTimeFromProc(pid) : startTimeFromPs(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

export function isRunning(identity: ProcessIdentity): boolean {
  return identityOf(identity.pid)?.startTime === identity.startTime;
}

/** The command line, for recognising a process that nobody recorded. */
export function commandLineOf(pid: number): string {
  try {
    if (hasProc) return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return ps(pid, 'command');
  } catch {
    return '';
  }
}

/** 0 when it cannot be told. */
export function parentOf(pid: number): number {
  try {
    return Number(hasProc ? statFields(pid)[1] : ps(pid, 'ppid'));
  } catch {
    return 0;
  }
}

function startTimeFromProc(pid: number): string | undefined {
  try {
    const fields = statFields(pid);
    const [state, ticksSinceBoot] = [fields[0], fields[19]];
    return state === 'Z' || state === 'X' ? undefined : `${bootId()}/${ticksSinceBoot}`;
  } catch {
    return undefined;
  }
}

/** From the state on: the second field is the program's name in brackets and may hold spaces and brackets itself. */
function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function startTimeFromPs(pid: number): string | undefined {
  try {
    const state = ps(pid, 'stat');
    return state === '' || state.startsWith('Z') ? undefined : ps(pid, 'lstart');
  } catch {
    return undefined;
  }
}

function ps(pid: number, field: string): string {
  const environment = { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
  return execFileSync('ps', ['-ww', '-o', `${field}=`, '-p', String(pid)], {
    encoding: 'utf8',
    env: environment,
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}

let knownBootId: string | undefined;

/** Ticks begin anew with every boot, so a time alone could come again. */
function bootId(): string {
  try {
    knownBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    knownBootId = '';
  }
  return knownBootId;
}

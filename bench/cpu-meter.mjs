import { familyCpuSeconds, machineCpuSeconds } from './machine.mjs';

/** CPU that named processes, with their children, use between two looks; `others` is what nobody of us has used. */
export class CpuMeter {
  #pids;
  #last;

  /** A pid or several by name; one that is undefined counts as 0. */
  constructor(pids) {
    this.#pids = pids;
    this.since();
  }

  /** CPU seconds by name since the last look, and the wall time. */
  since() {
    const now = this.#look();
    const last = this.#last ?? now;
    this.#last = now;
    const used = Object.fromEntries(Object.keys(now).map((name) => [name, now[name] - last[name]]));
    const ours = Object.keys(this.#pids).reduce((sum, name) => sum + used[name], used.bench);
    return { ...used, others: used.machine - ours };
  }

  #look() {
    const { user, system } = process.cpuUsage();
    const seconds = Object.entries(this.#pids).map(([name, pids]) => [name, sum([pids].flat())]);
    return {
      wall: performance.now() / 1000,
      machine: machineCpuSeconds() ?? Number.NaN,
      bench: (user + system) / 1e6,
      ...Object.fromEntries(seconds),
    };
  }
}

function sum(pids) {
  return pids.reduce((total, pid) => total + (pid === undefined ? 0 : (familyCpuSeconds(pid) ?? Number.NaN)), 0);
}

import { readFileSync, writeFileSync } from 'node:fs';

/** How much memory a process has held at most, since a moment. Linux only. */
export class PeakMemory {
  #pid;

  static of(pid) {
    writeFileSync(`/proc/${pid}/clear_refs`, '5'); // VmHWM starts again at what is resident now
    const memory = new PeakMemory();
    memory.#pid = pid;
    return memory;
  }

  megabytes() {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.#pid}/status`, 'utf8'));
    return Number(kilobytes) / 1024;
  }
}

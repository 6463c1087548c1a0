import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, statfsSync } from 'node:fs';

/** A file system of its own in memory that is soon full. Mounting takes root; the kernel forgets it with the test at the latest. */
export class SmallDisk {
  private constructor(readonly folder: string) {}

  static mount(folder: string, megabytes: number, owner: { uid: number; gid: number } | undefined): SmallDisk {
    mkdirSync(folder);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]);
    if (owner) chownSync(folder, owner.uid, owner.gid);
    return new SmallDisk(folder);
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.folder);
    return bavail * bsize;
  }

  growTo(megabytes: number): void {
    execFileSync('mount', ['-o', `remount,size=${megabytes}m`, this.folder]);
  }

  unmount(): void {
    execFileSync('umount', ['--lazy', this.folder]);
  }
}

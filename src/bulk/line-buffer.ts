const FIRST_BYTES = 256 * 1024;
const MOST_BYTES_A_UNIT = 3;

/** Lines as bytes, in one place that is used again: a file of any size leaves no garbage behind but the lines themselves. */
export class LineBuffer {
  private space = Buffer.alloc(0);
  bytes = 0;

  addLine(line: string): void {
    this.makeRoom(line.length * MOST_BYTES_A_UNIT + 1);
    this.bytes += this.space.write(line, this.bytes);
    this.bytes += this.space.write('\n', this.bytes);
  }

  add(more: Buffer): void {
    this.makeRoom(more.length);
    this.bytes += more.copy(this.space, this.bytes);
  }

  /** What was added, as it stands here until something is added again. */
  take(): Buffer {
    const taken = this.space.subarray(0, this.bytes);
    this.bytes = 0;
    return taken;
  }

  private makeRoom(bytes: number): void {
    const needed = this.bytes + bytes;
    if (needed <= this.space.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.space.length * 2, FIRST_BYTES));
    this.space.copy(larger, 0, 0, this.bytes);
    this.space = larger;
  }
}

/**
 * Work on one thing by one caller of this process after the other. They would wait for each other's lock anyway; here they wait
 * without a connection, so that fifty who want the same leave some to those who want something else.
 */
export class Turns {
  private readonly last = new Map<string, Promise<unknown>>();

  take<Result>(of: string, work: () => Promise<Result>): Promise<Result> {
    const mine = (this.last.get(of) ?? Promise.resolve()).then(work);
    const over: Promise<void> = mine.then(
      () => this.end(of, over),
      () => this.end(of, over),
    );
    this.last.set(of, over);
    return mine;
  }

  get size(): number {
    return this.last.size;
  }

  private end(of: string, turn: Promise<void>): void {
    if (this.last.get(of) === turn) this.last.delete(of);
  }
}

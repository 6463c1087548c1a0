import { Readable } from 'node:stream';

/**
 * Chunks as they are asked for. `Readable.from` would go on until the next chunk when the reader has gone, and on a quiet log
 * that is long after: here `gone` is called at once, and wakes who makes the chunks.
 */
export class ChunkStream extends Readable {
  constructor(
    private readonly chunks: AsyncGenerator<string, void>,
    bufferedBytes: number,
    private readonly gone: () => void,
  ) {
    super({ highWaterMark: bufferedBytes });
  }

  override _read(): void {
    this.chunks.next().then(
      ({ value }) => this.push(value ?? null),
      (error: Error) => this.destroy(error),
    );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.gone();
    void this.chunks.return();
    done(error);
  }
}

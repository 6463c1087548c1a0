import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { LineBuffer } from './line-buffer.js';

const GZIP_LEVEL = 1;

/** Gathers the bytes of one part after another: whole lines, packed page by page where the file is packed, because members of gzip may follow each other. */
export abstract class PartWriter {
  static for(isPacked: boolean): PartWriter {
    return isPacked ? new PackedParts() : new PlainParts();
  }

  /** Of the part so far. */
  abstract readonly bytes: number;
  abstract write(lines: readonly string[]): Promise<void>;
  /** What was gathered, which the next part takes the place of: it is to be stored before more is written. */
  abstract take(): Promise<Buffer>;
}

class PlainParts extends PartWriter {
  private readonly part = new LineBuffer();

  get bytes(): number {
    return this.part.bytes;
  }

  write(lines: readonly string[]): Promise<void> {
    for (const line of lines) this.part.addLine(line);
    return Promise.resolve();
  }

  take(): Promise<Buffer> {
    return Promise.resolve(this.part.take());
  }
}

const packed = promisify(gzip) as (bytes: Buffer | '', options: object) => Promise<Buffer>;

class PackedParts extends PartWriter {
  private readonly page = new LineBuffer();
  private readonly part = new LineBuffer();

  get bytes(): number {
    return this.part.bytes;
  }

  async write(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    for (const line of lines) this.page.addLine(line);
    this.part.add(await packed(this.page.take(), { level: GZIP_LEVEL }));
  }

  async take(): Promise<Buffer> {
    return this.bytes === 0 ? packed('', { level: GZIP_LEVEL }) : this.part.take();
  }
}

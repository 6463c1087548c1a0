import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const GZIP_LEVEL = 1;

/** Gathers the bytes of one part after another: whole lines, packed page by page where the file is packed, because members of gzip may follow each other. */
export abstract class PartWriter {
  static for(isPacked: boolean): PartWriter {
    return isPacked ? new PackedParts() : new PlainParts();
  }

  /** Of the part so far. */
  abstract readonly bytes: number;
  abstract write(lines: Buffer): Promise<void>;
  /** What was gathered; the next part begins. */
  abstract take(): Promise<Buffer>;
}

class PlainParts extends PartWriter {
  bytes = 0;
  private chunks: Buffer[] = [];

  write(lines: Buffer): Promise<void> {
    this.chunks.push(lines);
    this.bytes += lines.length;
    return Promise.resolve();
  }

  take(): Promise<Buffer> {
    const part = Buffer.concat(this.chunks);
    [this.chunks, this.bytes] = [[], 0];
    return Promise.resolve(part);
  }
}

const packed = promisify(gzip) as (bytes: Buffer | '', options: object) => Promise<Buffer>;

class PackedParts extends PartWriter {
  bytes = 0;
  private chunks: Buffer[] = [];

  async write(lines: Buffer): Promise<void> {
    if (lines.length === 0) return;
    const chunk = await packed(lines, { level: GZIP_LEVEL });
    this.chunks.push(chunk);
    this.bytes += chunk.length;
  }

  async take(): Promise<Buffer> {
    const part = this.chunks.length === 0 ? await packed('', { level: GZIP_LEVEL }) : Buffer.concat(this.chunks);
    [this.chunks, this.bytes] = [[], 0];
    return part;
  }
}

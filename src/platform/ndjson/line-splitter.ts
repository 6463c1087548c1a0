const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/** A place between two lines of a text. */
export interface LinePlace {
  /** How many lines lie before it. */
  line: number;
  byte: number;
}

export interface TextLine {
  /** From 1, blank lines counted, as editors do. */
  number: number;
  /** Where it begins, and where the next one does. */
  byteOffset: number;
  nextOffset: number;
  /** Without its end; undefined for one that is too long, because no memory is large enough for every line. */
  bytes: Buffer | undefined;
}

/** Cuts bytes into lines as they come, however the chunks fall. */
export class LineSplitter {
  private parts: Buffer[] = [];
  private length = 0;

  constructor(
    private readonly maxBytes: number,
    private place: LinePlace = { line: 0, byte: 0 },
  ) {}

  push(chunk: Buffer): TextLine[] {
    const lines: TextLine[] = [];
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      this.keep(chunk.subarray(from, end));
      lines.push(this.cut(1));
      from = end + 1;
    }
    if (from < chunk.length) this.keep(chunk.subarray(from));
    return lines;
  }

  /** What stands after the last line end. */
  end(): TextLine[] {
    return this.length > 0 ? [this.cut(0)] : [];
  }

  private keep(part: Buffer): void {
    this.length += part.length;
    if (this.length > this.maxBytes) this.parts = [];
    else this.parts.push(part);
  }

  private cut(endBytes: number): TextLine {
    const { line, byte } = this.place;
    const bytes = this.length > this.maxBytes ? undefined : joined(this.parts);
    const nextOffset = byte + this.length + endBytes;
    this.place = { line: line + 1, byte: nextOffset };
    [this.parts, this.length] = [[], 0];
    return { number: line + 1, byteOffset: byte, nextOffset, bytes: byte === 0 ? withoutMark(bytes) : bytes };
  }
}

export function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte <= 0x20);
}

function joined(parts: readonly Buffer[]): Buffer {
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
}

function withoutMark(bytes: Buffer | undefined): Buffer | undefined {
  return bytes?.subarray(0, 3).equals(BYTE_ORDER_MARK) ? bytes.subarray(3) : bytes;
}

import { inflateSync } from 'node:zlib';

/** The colours of a picture, pixel by pixel. */
export interface Picture {
  width: number;
  height: number;
  /** `#rrggbb` */
  at: (x: number, y: number) => string;
}

const SIGNATURE_BYTES = 8;

/** Reads a PNG of 8 bits a channel without interlacing, as browsers write screenshots. */
export function readPng(png: Buffer): Picture {
  const data: Buffer[] = [];
  let [width, height, channels] = [0, 0, 4];
  for (let at = SIGNATURE_BYTES; at < png.length;) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    const chunk = png.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR')
      [width, height, channels] = [chunk.readUInt32BE(0), chunk.readUInt32BE(4), chunk[9] === 2 ? 3 : 4];
    if (type === 'IDAT') data.push(chunk);
    at += 12 + length;
  }
  const pixels = unfiltered(inflateSync(Buffer.concat(data)), width * channels, height, channels);
  return {
    width,
    height,
    at: (x, y) => `#${pixels.toString('hex', (y * width + x) * channels, (y * width + x) * channels + 3)}`,
  };
}

function unfiltered(raw: Buffer, rowBytes: number, rows: number, step: number): Buffer {
  const pixels = Buffer.alloc(rowBytes * rows);
  for (let y = 0; y < rows; y += 1) {
    const filter = raw[y * (rowBytes + 1)];
    for (let i = 0; i < rowBytes; i += 1) {
      const place = y * rowBytes + i;
      const left = i < step ? 0 : pixels[place - step]!;
      const up = y === 0 ? 0 : pixels[place - rowBytes]!;
      const corner = i < step || y === 0 ? 0 : pixels[place - rowBytes - step]!;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter!]!;
      pixels[place] = raw[y * (rowBytes + 1) + 1 + i]! + guess;
    }
  }
  return pixels;
}

function paeth(left: number, up: number, corner: number): number {
  const [toLeft, toUp, toCorner] = [up - corner, left - corner, left + up - 2 * corner].map(Math.abs) as [
    number,
    number,
    number,
  ];
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

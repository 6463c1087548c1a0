/** Every part of an upload but the last. */
export const MIN_PART_BYTES = 5 * 1024 * 1024;
export const MAX_PARTS = 10_000;

/** What completes a part. Plain data, so that it can be kept while the rest is still to come. */
export interface PartTag {
  readonly number: number;
  readonly tag: string;
  readonly sizeBytes: number;
}

export function assertPartNumber(number: number): void {
  if (!Number.isInteger(number) || number < 1 || number > MAX_PARTS)
    throw new Error(`parts are numbered from 1 to ${MAX_PARTS}, and none is ${number}`);
}

/** In their order, each once, and none too small for S3: what works in a folder works in a bucket. */
export function partsInOrder(parts: readonly PartTag[]): PartTag[] {
  const ordered = [...parts].sort((a, b) => a.number - b.number);
  if (ordered.length === 0) throw new Error('an upload has one part at least');
  for (const [index, { number, sizeBytes }] of ordered.entries()) {
    assertPartNumber(number);
    if (ordered[index + 1]?.number === number) throw new Error(`part ${number} is named twice`);
    if (index < ordered.length - 1 && sizeBytes < MIN_PART_BYTES)
      throw new Error(`part ${number} has ${sizeBytes} bytes; all but the last have ${MIN_PART_BYTES} or more`);
  }
  return ordered;
}

export function sizeOfParts(parts: readonly PartTag[]): number {
  return parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { open, writeFile, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { nullIfAbsent } from './folder-root.js';
import type { ObjectStat } from './object-store.js';

/** An object's file ends in a label of this length, which says what a file system cannot keep in the same atomic step. */
const LABEL_BYTES = 256;
const CONTENT_TYPE = /^[a-z0-9][a-z0-9 ;=/+._-]{0,99}$/i;

interface Label {
  version: string;
  content_type: string;
}

export type FileBody = Buffer | AsyncIterable<Buffer> | Readable;

/** Writes the body and its label, and comes back when a power cut cannot take them. */
export async function writeLabelled(file: string, body: FileBody, contentType: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await writeFile(handle, body);
    await writeFile(handle, labelBytes({ version: randomUUID(), content_type: contentType }));
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** An open object: it stays the version that it was when it was opened. */
export class LabelledFile {
  private constructor(
    private readonly handle: FileHandle,
    readonly stat: ObjectStat,
  ) {}

  static async open(file: string): Promise<LabelledFile | null> {
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch(nullIfAbsent);
    if (!handle) return null;
    try {
      return new LabelledFile(handle, await statOf(handle, file));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** The stream closes the file. Undefined if there is nothing from there on; then the file is still to be closed. */
  read(fromByte: number): Readable | undefined {
    const { sizeBytes } = this.stat;
    return fromByte < sizeBytes ? this.handle.createReadStream({ start: fromByte, end: sizeBytes - 1 }) : undefined;
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

async function statOf(handle: FileHandle, file: string): Promise<ObjectStat> {
  const { size, mtime } = await handle.stat();
  const { buffer, bytesRead } = await handle.read(
    Buffer.alloc(LABEL_BYTES),
    0,
    LABEL_BYTES,
    Math.max(0, size - LABEL_BYTES),
  );
  const label = labelIn(buffer.subarray(0, bytesRead));
  if (!label) throw new Error(`the object in ${file} is damaged: its end is missing`);
  return { sizeBytes: size - LABEL_BYTES, modifiedAt: mtime, version: label.version, contentType: label.content_type };
}

function labelBytes(label: Label): Buffer {
  const text = JSON.stringify(label);
  if (!CONTENT_TYPE.test(label.content_type)) throw new Error('the content type of an object has no such form');
  return Buffer.from(`\n${text.padEnd(LABEL_BYTES - 2)}\n`);
}

function labelIn(bytes: Buffer): Label | undefined {
  const text = /^\n(\{"version":.*\}) *\n$/.exec(bytes.toString('utf8'))?.[1];
  return text === undefined ? undefined : (JSON.parse(text) as Label);
}

import { statfs } from 'node:fs/promises';
import type { Configuration } from '../platform/config/configuration.js';
import { FileLinks } from '../platform/object-store/file-links.js';
import { openObjectStore } from '../platform/object-store/open-object-store.js';
import { Keyring } from '../platform/secrets/keyring.js';
import { failed, ok, warning, type Finding } from './doctor-finding.js';

const MEGABYTE = 1024 * 1024;
const TOO_LITTLE_MB = 200;
const LITTLE_MB = 2_000;

export async function examineObjectStore(configuration: Configuration): Promise<Finding[]> {
  const { objectStore: options } = configuration;
  const place =
    options.kind === 'folder' ? `folder ${options.folder}` : `bucket ${options.bucket} at ${options.endpoint}`;
  try {
    await openObjectStore(options, new FileLinks(new Keyring(configuration), configuration)).check();
  } catch (error) {
    const next =
      options.kind === 'folder'
        ? 'make the folder writable for this user and its disk not full, or choose another with IPM_DATA_DIR'
        : 'check S3_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, and that the bucket exists';
    return [failed('object store', `${place}: ${(error as Error).message}`, next)];
  }
  const kept = ok('object store', `${place} keeps what it is given`);
  return options.kind === 'folder' ? [kept, spaceFinding(await freeMegabytes(options.folder))] : [kept];
}

export function spaceFinding(freeMb: number): Finding {
  const message = `${freeMb} MB free for the object store`;
  if (freeMb < TOO_LITTLE_MB)
    return failed('disk space', message, 'free some or move IPM_DATA_DIR to a larger disk, now');
  return freeMb < LITTLE_MB
    ? warning('disk space', message, 'free some, or move IPM_DATA_DIR to a larger disk')
    : ok('disk space', message);
}

async function freeMegabytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return Math.floor((bavail * bsize) / MEGABYTE);
}

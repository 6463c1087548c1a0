import { accessSync, chmodSync, constants, existsSync, mkdirSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import { explainStorageError, StartProblem } from './start-problem.js';

/** Where this checkout lies; the compiled and the written file are equally deep in it. */
export const projectFolder = path.resolve(import.meta.dirname, '../..');

const MEGABYTE = 1024 * 1024;
const SPACE_FOR_A_NEW_STORE = 160 * MEGABYTE;
const SPACE_FOR_A_START = 48 * MEGABYTE;

/** `IPM_DATA_DIR`, else `.ipm` in the project. */
export function dataFolderPath(environment: NodeJS.ProcessEnv): string {
  return environment.IPM_DATA_DIR ? path.resolve(environment.IPM_DATA_DIR) : path.join(projectFolder, '.ipm');
}

/** The files of a local stack. */
export class DataFolder {
  readonly postgres: string;
  readonly redis: string;
  readonly objects: string;
  readonly logs: string;
  readonly lock: string;
  readonly secretsFile: string;
  readonly credentialsFile: string;
  readonly portsFile: string;
  readonly stackFile: string;
  readonly processesFile: string;

  constructor(readonly path: string) {
    this.postgres = this.file('postgres');
    this.redis = this.file('redis');
    this.objects = this.file('objects');
    this.logs = this.file('logs');
    this.lock = this.file('lock');
    this.secretsFile = this.file('secrets.json');
    this.credentialsFile = this.file('credentials.json');
    this.portsFile = this.file('ports.json');
    this.stackFile = this.file('stack.json');
    this.processesFile = this.file('processes.json');
  }

  logFile(name: string): string {
    return path.join(this.logs, `${name}.log`);
  }

  private file(name: string): string {
    return path.join(this.path, name);
  }
}

/** Makes what is missing and makes sure that it can be written. */
export function openDataFolder(folderPath: string): DataFolder {
  const folder = new DataFolder(folderPath);
  try {
    mkdirSync(folder.path, { recursive: true, mode: 0o700 });
    accessSync(folder.path, constants.W_OK | constants.X_OK);
    // Started by root, Postgres runs as somebody else and has to pass through to its own folder.
    if (process.getuid?.() === 0) chmodSync(folder.path, statSync(folder.path).mode | 0o001);
    for (const inner of [folder.redis, folder.objects, folder.logs, folder.lock]) {
      mkdirSync(inner, { recursive: true, mode: 0o700 });
    }
    return folder;
  } catch (error) {
    const isFile = (error as NodeJS.ErrnoException).code === 'EEXIST';
    throw explainStorageError(isFile ? { code: 'ENOTDIR' } : error, folder.path);
  }
}

export function assertSpaceLeft(folder: DataFolder): void {
  const needed = existsSync(folder.postgres) ? SPACE_FOR_A_START : SPACE_FOR_A_NEW_STORE;
  const disk = statfsSync(folder.path);
  const free = disk.bavail * disk.bsize;
  if (free >= needed) return;
  throw new StartProblem(
    `No space left on the disk of ${folder.path}: ${Math.floor(free / MEGABYTE)} MB free, ${needed / MEGABYTE} MB needed. ` +
      'Free some, or choose another folder with IPM_DATA_DIR=/path.',
  );
}

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import path from 'node:path';
import { productEnvironment } from '../support/environment.js';

const MAIN = path.join(__dirname, '../../dist/cli/main.js');

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each command has a document of its own
type Document = any;

export interface Ran {
  exitCode: number | null;
  stdout: string;
  stderr: string;
  /** The one document on stdout; throws when something else stands there. */
  readonly document: Document;
}

/** The built command line with exactly this environment. */
export function spawnIpm(environment: Record<string, string>, ...args: string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env.PATH, ...environment } });
}

/** The same, run to its end. */
export function runIpm(environment: Record<string, string>, ...args: string[]): Promise<Ran> {
  return ranToEnd(spawnIpm(environment, ...args));
}

export async function ranToEnd(child: ChildProcessWithoutNullStreams): Promise<Ran> {
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    exitCode,
    stdout,
    stderr,
    get document() {
      return JSON.parse(stdout) as Document;
    },
  };
}

/** The command line of one installation. */
export function ipmOn(
  databaseUrl: string,
  overrides: Record<string, string | undefined> = {},
): (...args: string[]) => Promise<Ran> {
  const environment = productEnvironment(databaseUrl, overrides);
  return (...args) => runIpm(environment, ...args);
}

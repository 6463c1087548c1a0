import type { DataFolder } from './data-folder.js';
import { readPrivateJson, writePrivateJson } from './private-file.js';
import { identityOf } from './process-identity.js';

/** How the command line finds the stack that runs. */
export interface RunningStack {
  database_url: string;
  redis_url: string;
  base_url: string;
  orgcode: string;
  api_key: string;
  operator_key: string;
  pid: number;
  started_at: string;
}

export function writeStackFile(folder: DataFolder, stack: RunningStack): void {
  writePrivateJson(folder.stackFile, stack);
}

/** Undefined when no stack runs on this folder. */
export function readRunningStack(folder: DataFolder): RunningStack | undefined {
  const stack = readPrivateJson<RunningStack>(folder.stackFile);
  return stack?.pid !== undefined && identityOf(stack.pid) ? (stack as RunningStack) : undefined;
}

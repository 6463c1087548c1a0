import { environment } from '../platform/config/environment.js';
import type { Environment } from '../platform/config/environment-reader.js';
import { DataFolder, dataFolderPath } from '../local/data-folder.js';
import { readRunningStack, type RunningStack } from '../local/stack-file.js';
import { CommandFailure, EXIT } from './failure.js';

/** The environment if it names a database; else what `npm start` runs on the data folder. */
export function connectionEnvironment(): Environment {
  if (environment.DATABASE_URL?.trim()) return environment;
  const folder = new DataFolder(dataFolderPath(environment));
  const stack = runningStack(folder);
  return {
    ...environment,
    DATABASE_URL: stack.database_url,
    REDIS_URL: stack.redis_url,
    IPM_PUBLIC_URL: stack.base_url,
    IPM_DATA_DIR: folder.path,
    IPM_SECRETS_FILE: environment.IPM_SECRETS_FILE?.trim() || folder.secretsFile,
  };
}

function runningStack(folder: DataFolder): RunningStack {
  let stack: RunningStack | undefined;
  try {
    stack = readRunningStack(folder);
  } catch (error) {
    const message = `${folder.stackFile} cannot be read (${(error as NodeJS.ErrnoException).code}): run ipm as the user who ran npm start.`;
    throw new CommandFailure(EXIT.wrongUsage, 'stack_not_readable', message, { cause: error });
  }
  if (stack) return stack;
  throw new CommandFailure(
    EXIT.wrongUsage,
    'nothing_to_connect_to',
    `DATABASE_URL is not set and no stack runs on ${folder.path}: set DATABASE_URL and what .env.example names beside it, ` +
      'or run npm start (IPM_DATA_DIR=/path when it runs on another folder).',
  );
}

import path from 'node:path';
import { dataFolderPath, projectFolder } from './data-folder.js';
import { StartProblem } from './start-problem.js';

export interface LocalSettings {
  dataFolder: string;
  host: string;
  port: number;
  /** Every log line of the app at the terminal, not only warnings. */
  verbose: boolean;
  /** The user's own; what is set there wins over what we would choose. */
  environment: NodeJS.ProcessEnv;
  /** The program to serve with, and what it needs in the database. */
  appFile: string;
  migrationsFolder: string;
}

export function readLocalSettings(environment: NodeJS.ProcessEnv, args: readonly string[]): LocalSettings {
  const given = withoutEmpty(environment);
  return {
    dataFolder: dataFolderPath(given),
    host: given.HOST ?? '127.0.0.1',
    port: readPort(given.PORT ?? '3000'),
    verbose: args.includes('--verbose') || given.LOG_LEVEL !== undefined,
    environment: given,
    appFile: path.join(projectFolder, 'dist/main.js'),
    migrationsFolder: path.join(projectFolder, 'prisma/migrations'),
  };
}

function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new StartProblem(`PORT must be a number from 1 to 65535, not “${text}”.`);
  return port;
}

/** `NAME=` in a shell or an env file means not set. */
function withoutEmpty(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
}

import { execFile } from 'node:child_process';

export interface CliOutcome {
  code: number;
  output: string;
}

/** Prisma's own command line, through our engine, as `prisma.config.ts` sets it up. */
export function prisma(args: readonly string[], databaseUrl: string): Promise<CliOutcome> {
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    DATABASE_URL: databaseUrl,
    CI: '1',
    NO_COLOR: '1',
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
  };
  return new Promise((resolve) => {
    execFile(process.execPath, ['node_modules/prisma/build/index.js', ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr });
    });
  });
}

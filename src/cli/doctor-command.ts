import type { Command } from 'commander';
import { readConfiguration, type Configuration } from '../platform/config/configuration.js';
import { environment as ownEnvironment } from '../platform/config/environment.js';
import { BadConfiguration, type Environment } from '../platform/config/environment-reader.js';
import { failed, ok, type Finding } from './doctor-finding.js';
import { examinePostgres } from './doctor-postgres.js';
import { examineRedis } from './doctor-redis.js';
import { examineObjectStore } from './doctor-store.js';
import { examineWork } from './doctor-work.js';
import { failureOf } from './failure.js';
import { migrationsFolder } from './migrate-command.js';
import { examples, whenRun } from './options.js';
import { table, type CommandResult } from './output.js';
import { connectionEnvironment } from './stack-connection.js';

export function addDoctorCommand(doctor: Command): void {
  doctor.addHelpText(
    'after',
    `${examples('$ ipm doctor', '$ ipm doctor --json | jq \'.checks[] | select(.verdict != "ok")\'')}

Each line is ok, warning or failed, with what to do next. The exit code is 1 when anything failed.`,
  );
  whenRun(doctor, examine);
}

/** Without these nobody can ask how the work stands. */
const NEEDED_TO_LOOK = new Set(['connection', 'configuration', 'Postgres', 'migrations', 'tenant wall']);

async function examine(): Promise<CommandResult> {
  const { environment, unconnected } = environmentOrProblem();
  const configuration = configurationOrProblems(environment);
  const complete = Array.isArray(configuration) ? undefined : configuration;
  const stores = await Promise.all([
    whereGiven(environment.DATABASE_URL, (url) => {
      const ownerUrl = environment.DATABASE_OWNER_URL?.trim() || url;
      return examinePostgres({ url, ownerUrl, migrationsFolder });
    }),
    whereGiven(environment.REDIS_URL, examineRedis),
    complete ? examineObjectStore(complete) : Promise.resolve([]),
  ]);
  const configured = Array.isArray(configuration) ? configuration : [ok('configuration', 'complete')];
  const examined = [...unconnected, ...configured, ...stores.flat()];
  const isUsable = !examined.some(({ check, verdict }) => verdict === 'failed' && NEEDED_TO_LOOK.has(check));
  const checks = [...examined, ...(isUsable && complete ? await examineWork() : [])];
  const healthy = checks.every(({ verdict }) => verdict !== 'failed');
  return { document: { healthy, checks }, text: textOf(checks), exitCode: healthy ? 0 : 1 };
}

function environmentOrProblem(): { environment: Environment; unconnected: Finding[] } {
  try {
    return { environment: connectionEnvironment(), unconnected: [] };
  } catch (error) {
    const unconnected = [failed('connection', failureOf(error).message, 'do the one or the other')];
    return { environment: ownEnvironment, unconnected };
  }
}

function configurationOrProblems(environment: Environment): Configuration | Finding[] {
  try {
    return readConfiguration(environment);
  } catch (error) {
    if (!(error instanceof BadConfiguration)) throw error;
    return error.problems.map((problem) =>
      failed('configuration', problem, 'set it; .env.example says what each variable means'),
    );
  }
}

/** What is missing is a problem of the configuration already. A store that is named is examined even where others are not. */
function whereGiven(url: string | undefined, look: (url: string) => Promise<Finding[]>): Promise<Finding[]> {
  return url?.trim() ? look(url.trim()) : Promise.resolve([]);
}

function textOf(checks: readonly Finding[]): string {
  const lines = table(
    ['', 'CHECK', ''],
    checks.map(({ verdict, check, message }) => [verdict, check, message]),
  )
    .split('\n')
    .slice(1);
  const withAdvice = checks.flatMap(({ next }, i) => [
    lines[i] ?? '',
    ...(next === undefined ? [] : [`         -> ${next}`]),
  ]);
  const count = checks.filter(({ verdict }) => verdict === 'failed').length;
  return [...withAdvice, '', count === 0 ? 'Nothing failed.' : `${count} failed.`].join('\n');
}

import type { LocalSettings } from './local-settings.js';
import { parentGone } from './parent-watch.js';
import type { RunningStack } from './stack-file.js';
import { StartProblem } from './start-problem.js';
import { Supervisor } from './supervisor.js';

/** npm passes a Ctrl-C on to us although the terminal has sent us one already. */
const SAME_SIGNAL_WITHIN_MS = 700;

/** Serves until somebody asks to stop or a child is lost; answers the exit code. */
export async function runLocalStack(readSettings: () => LocalSettings): Promise<number> {
  const begun = Date.now();
  let supervisor: Supervisor | undefined;
  try {
    const settings = readSettings();
    supervisor = new Supervisor(settings, (line) => console.log(`  ${line}`));
    const asked = stopAsked(supervisor);
    const stack = await Promise.race([supervisor.start(), asked]);
    if (stack) {
      printStack(stack, settings.dataFolder, Date.now() - begun);
      const problem = await Promise.race([supervisor.childLost, asked]);
      if (problem) throw problem;
    }
    await supervisor.stop();
    console.log('Stopped. The data is kept.');
    return 0;
  } catch (error) {
    console.error(describe(error));
    await supervisor?.stop();
    return 1;
  }
}

/** Resolves at the first Ctrl-C or signal, or when the npm that runs us is gone; a second one hurries. */
function stopAsked(supervisor: Supervisor): Promise<void> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    const ask = (): void => {
      if (firstAt === undefined) {
        firstAt = Date.now();
        console.log('\nStopping …');
        resolve();
      } else if (Date.now() - firstAt > SAME_SIGNAL_WITHIN_MS) {
        supervisor.hurry();
      }
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, ask);
    void parentGone().then(ask);
  });
}

function printStack(stack: RunningStack, dataFolder: string, tookMs: number): void {
  const curl = [
    `curl -s -X POST ${stack.base_url}/ipm/event/catalog/list`,
    `-H 'x-api-key: ${stack.api_key}'`,
    `-H 'x-orgcode: ${stack.orgcode}'`,
    `-H 'content-type: application/json' -d '{}'`,
  ];
  console.log(`
IPM is serving (${(tookMs / 1000).toFixed(1)} s)

  Base URL       ${stack.base_url}
  Swagger UI     ${stack.base_url}/docs
  Organisation   ${stack.orgcode}
  API key        ${stack.api_key}
  Operator key   ${stack.operator_key}
  Data, logs     ${dataFolder}, ${dataFolder}/logs

  ${curl.join(' ')}

Ctrl-C stops everything; the data is kept.`);
}

function describe(error: unknown): string {
  if (error instanceof StartProblem) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

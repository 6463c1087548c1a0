import 'reflect-metadata';
import { BadConfiguration, type Environment } from './platform/config/environment-reader.js';
import { readConfiguration, type Configuration } from './platform/config/configuration.js';
import { environment } from './platform/config/environment.js';
import { GracefulStop } from './platform/http/graceful-stop.js';
import { log } from './platform/telemetry/logger.js';
import { createApp } from './roles/create-app.js';

async function serve(configuration: Configuration): Promise<void> {
  log.level = configuration.logLevel;
  const app = await createApp(configuration);
  await app.listen(configuration.port, configuration.host);
  log.info({ role: configuration.role, url: configuration.publicUrl }, 'IPM serves');

  let stopped: Promise<void> | undefined;
  const stop = async (signal: string): Promise<void> => {
    log.info({ signal }, 'IPM stops: no new connections, what arrived is answered');
    await app.get(GracefulStop).drain(app.getHttpAdapter().getInstance(), configuration.stopGraceSeconds);
    await app.close();
    log.info('IPM stopped');
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void (stopped ??= stop(signal)));
}

/** One problem a line on stderr, for people; nobody reads JSON when a start fails. */
function fail(error: unknown): never {
  process.stderr.write(`${error instanceof BadConfiguration ? error.message : `IPM cannot start: ${reason(error)}`}\n`);
  process.exit(1);
}

function reason(error: unknown): string {
  if (/(role|relation|table) ["`][\w.]+["`] does not exist/.test(String(error)))
    return 'the database is not migrated: run ipm migrate';
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

try {
  await serve(readConfiguration(environment satisfies Environment));
} catch (error) {
  fail(error);
}

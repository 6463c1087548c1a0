import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { BootstrapService } from '../access/bootstrap.service.js';
import type { Configuration } from '../platform/config/configuration.js';
import { AuthenticationHook } from '../platform/http/authentication.hook.js';
import { installBodyParser, MAX_BODY_BYTES } from '../platform/http/body-parser.js';
import { endConnection } from '../platform/http/client-errors.js';
import { installEnvelope } from '../platform/http/envelope.hook.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { OperatorDoor } from '../platform/http/operator-door.hook.js';
import { installRequestScope } from '../platform/http/request-scope.js';
import { RequestMetrics } from '../platform/http/request-metrics.js';
import { RequestTraces } from '../platform/http/request-traces.js';
import { installResponseHeaders } from '../platform/http/response-headers.js';
import { RevisionHook } from '../platform/http/revision.hook.js';
import { refuseUnreadablePath } from '../platform/http/unreadable-path.js';
import { FileRoutes } from '../platform/object-store/file-routes.js';
import { serveDocuments } from '../platform/openapi/openapi-document.js';
import { NestLogger } from '../platform/telemetry/logger.js';
import { ProcessModule } from './process.module.js';

const KEEP_ALIVE_MS = 65_000;
/** A whole request, headers and body, has to be here by then. */
const REQUEST_TIMEOUT_MS = 30_000;

/** The process's application, ready to listen: hooks in the order in which they run. */
export async function createApp(configuration: Configuration): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    trustProxy: configuration.trustedProxies.length > 0 ? [...configuration.trustedProxies] : false,
    bodyLimit: MAX_BODY_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    return503OnClosing: false, // GracefulStop answers what arrived
    exposeHeadRoutes: false,
    frameworkErrors: refuseUnreadablePath,
    clientErrorHandler: endConnection,
  });
  const app = await NestFactory.create<NestFastifyApplication>(ProcessModule.for(configuration), adapter, {
    logger: new NestLogger(),
    bodyParser: false,
    abortOnError: false,
  });
  app.setGlobalPrefix('ipm', { exclude: ['health/live', 'health/ready', 'metrics', 'api/*room'] });
  const fastify = app.getHttpAdapter().getInstance();
  fastify.server.headersTimeout = REQUEST_TIMEOUT_MS; // a larger one, as it is by default, would take the place of the request's
  app.get(GracefulStop).install(fastify);
  installRequestScope(fastify);
  app.get(RequestMetrics).install(fastify);
  app.get(RequestTraces).install(fastify);
  installResponseHeaders(fastify);
  if (configuration.role !== 'worker') {
    const authentication = app.get(AuthenticationHook);
    fastify.addHook('onRequest', (request, reply) => authentication.onRequest(request, reply));
    const operatorDoor = app.get(OperatorDoor);
    fastify.addHook('onRequest', (request, reply) => operatorDoor.onRequest(request, reply));
    if (configuration.objectStore.kind === 'folder') app.get(FileRoutes).install(fastify);
    if (configuration.docs) serveDocuments(app, configuration.publicUrl);
  }
  installBodyParser(fastify);
  const revision = app.get(RevisionHook);
  fastify.addHook('preHandler', (request) => revision.preHandler(request));
  installEnvelope(fastify);
  try {
    await app.init();
    await app.get(BootstrapService).run();
    return app;
  } catch (error) {
    await app.close(); // or its connections would outlive a start that failed
    throw error;
  }
}

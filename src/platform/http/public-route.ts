import { RouteConfig } from '@nestjs/platform-fastify';

export interface PublicRouteConfig {
  publicRoute: true;
}

/** For probes: no credential, no organisation, no envelope. Everything else is an `@Operation`, or has its credential in its URL. */
export function PublicRoute(): MethodDecorator {
  return RouteConfig({ publicRoute: true } satisfies PublicRouteConfig);
}

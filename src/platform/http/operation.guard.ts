import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import { platformErrors } from '../errors/platform.errors.js';
import type { OperationConfig } from './operation.js';
import type { OperatorRouteConfig } from './operator-route.js';
import type { PublicRouteConfig } from './public-route.js';
import { mayCall } from './roles.js';

type RouteConfigs = Partial<OperationConfig & OperatorRouteConfig & PublicRouteConfig>;

/** Default deny, whatever happened before: without a declared role, or a caller who holds it, no handler runs. Who came in as an operator finds no other door open. */
@Injectable()
export class OperationGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { caller, operator, routeOptions } = context.switchToHttp().getRequest<FastifyRequest>();
    const { operation, operatorRoute, publicRoute } = routeOptions.config as RouteConfigs;
    if (publicRoute || operation?.role === 'anyone' || (operatorRoute && operator)) return true;
    if (!operation || !caller) throw new AppError(platformErrors.credentialInvalid);
    if (!mayCall(caller.roles, operation.role)) throw new AppError(platformErrors.roleRequired);
    return true;
  }
}

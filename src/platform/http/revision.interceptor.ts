import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { AppError } from '../errors/app-error.js';
import { platformErrors } from '../errors/platform.errors.js';
import type { OperationConfig } from './operation.js';

/** A write without `expected_revision` answers 428 with the present record, before anything else of the body is judged. */
@Injectable()
export class RevisionInterceptor implements NestInterceptor {
  constructor(private readonly modules: ModuleRef) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const { caller, body, routeOptions } = context.switchToHttp().getRequest<FastifyRequest>();
    const { operation } = routeOptions.config as Partial<OperationConfig>;
    const fields = (body ?? {}) as Readonly<Record<string, unknown>>;
    const missing = fields.expected_revision === undefined || fields.expected_revision === null;
    if (!operation?.revisionOf || !caller || !missing) return next.handle();
    const records = this.modules.get(operation.revisionOf, { strict: false });
    const conflictSnapshot = await records.snapshot(caller.orgcode, fields);
    throw new AppError(platformErrors.revisionRequired, conflictSnapshot ? { conflictSnapshot } : {});
  }
}

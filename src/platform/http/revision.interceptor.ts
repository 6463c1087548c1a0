import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { from, type Observable } from 'rxjs';
import { AppError } from '../errors/app-error.js';
import { platformErrors } from '../errors/platform.errors.js';
import type { OperationConfig, RevisionedRecords } from './operation.js';

/** A write without `expected_revision` answers 428 with the present record, before anything else of the body is judged. */
@Injectable()
export class RevisionInterceptor implements NestInterceptor {
  constructor(private readonly modules: ModuleRef) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { caller, body, routeOptions } = context.switchToHttp().getRequest<FastifyRequest>();
    const { operation } = routeOptions.config as Partial<OperationConfig>;
    const fields = (body ?? {}) as Readonly<Record<string, unknown>>;
    const missing = fields.expected_revision === undefined || fields.expected_revision === null;
    if (!operation?.revisionOf || !caller || !missing) return next.handle();
    return from(this.refuse(operation.revisionOf, caller.orgcode, fields));
  }

  private async refuse(
    recordsClass: Type<RevisionedRecords>,
    orgcode: string,
    fields: Readonly<Record<string, unknown>>,
  ): Promise<never> {
    const records = this.modules.get(recordsClass, { strict: false });
    const conflictSnapshot = await records.snapshot(orgcode, fields);
    throw new AppError(platformErrors.revisionRequired, conflictSnapshot ? { conflictSnapshot } : {});
  }
}

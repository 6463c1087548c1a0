import { Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import { platformErrors } from '../errors/platform.errors.js';
import type { OperationConfig } from './operation.js';

type Fields = Readonly<Record<string, unknown>>;

/** A write without `expected_revision` answers 428 with the present record, before anything else of the body is judged. */
@Injectable()
export class RevisionHook {
  constructor(private readonly modules: ModuleRef) {}

  async preHandler({ caller, body, routeOptions }: FastifyRequest): Promise<void> {
    const { operation } = routeOptions.config as Partial<OperationConfig>;
    const fields = (body ?? {}) as Fields;
    const missing = fields.expected_revision === undefined || fields.expected_revision === null;
    if (!operation?.revisionOf || !caller || !missing) return;
    const records = this.modules.get(operation.revisionOf, { strict: false });
    const conflictSnapshot = await records.snapshot(caller.orgcode, fields);
    throw new AppError(platformErrors.revisionRequired, conflictSnapshot ? { conflictSnapshot } : {});
  }
}

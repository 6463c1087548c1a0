import 'reflect-metadata';
import { userInfo } from 'node:os';
import type { INestApplicationContext, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { operatorCaller } from '../access/bootstrap.service.js';
import { readConfiguration } from '../platform/config/configuration.js';
import type { Caller } from '../platform/http/caller.js';
import type { RequestContext } from '../platform/http/request.dto.js';
import { ValidationPipe } from '../platform/http/validation.pipe.js';
import { log } from '../platform/telemetry/logger.js';
import { CliModule } from './cli.module.js';
import { assertServable } from './postgres-address.js';
import { connectionEnvironment } from './stack-connection.js';

export type Services = Pick<INestApplicationContext, 'get'>;

/** The services of the product on the stores of the environment or of the running stack. */
export async function withServices<T>(
  work: (services: Services) => Promise<T>,
  rooms: readonly Type[] = [],
): Promise<T> {
  const configuration = readConfiguration(connectionEnvironment());
  log.level = 'silent'; // it writes to stdout, which is the command's
  await assertServable(configuration.database.url);
  const services = await NestFactory.createApplicationContext(CliModule.for(configuration, rooms), {
    logger: false,
    abortOnError: false,
  });
  try {
    return await work(services);
  } finally {
    await services.close();
  }
}

/** The person at the terminal, for one organisation and operation. */
export function operator(orgcode: string, call: string): Caller {
  return operatorCaller(orgcode, call, operatorName());
}

function operatorName(): string {
  try {
    return `cli:${userInfo().username}`;
  } catch {
    return `cli:uid ${process.getuid?.()}`; // containers may run under an id that no passwd names
  }
}

/** A write as it would come over HTTP, checked by the same rules. */
export function writeRequest<Request extends { request_context: RequestContext }>(
  shape: Type<Request>,
  { orgcode, actor }: Caller,
  reason: string,
  fields: object,
): Request {
  const request_context = { orgcode, actor, context_source: 'operator' };
  const body = { ...fields, reason, source_refs: [], request_context };
  return new ValidationPipe().transform(body, { type: 'body', metatype: shape }) as Request;
}

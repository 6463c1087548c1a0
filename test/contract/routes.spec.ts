import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import type { OpenAPIObject } from '@nestjs/swagger';
import { Operation, type OperationConfig, type OperationOptions } from '../../src/platform/http/operation.js';
import type { OperatorRouteConfig } from '../../src/platform/http/operator-route.js';
import { PublicRoute, type PublicRouteConfig } from '../../src/platform/http/public-route.js';
import { openApiDocument } from '../../src/platform/openapi/openapi-document.js';
import { TestApi } from '../support/api.js';
import { operationsOf, operatorRoutesOf, type ServedOperation } from '../support/operations.js';

interface BodySchema {
  properties?: Record<string, { 'x-ipm-extension'?: boolean }>;
  required?: string[];
}

/** Every class of a controller file of the source, also of one that no module serves. */
async function controllersOfTheSource(): Promise<Type[]> {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.controller.ts'),
  );
  const modules = await Promise.all(
    files.map((name) => import(path.resolve('src', name)) as Promise<Record<string, unknown>>),
  );
  const exported = modules.flatMap((module) => Object.values(module));
  return exported.filter((one): one is Type => typeof one === 'function' && Reflect.hasMetadata('path', one));
}

/** Methods that are no route, and routes that say neither which role they ask for, nor whose room of operators they are, nor that they are public. */
function undeclaredMethods(controller: Type): string[] {
  const prototype = controller.prototype as Record<string, object>;
  return Object.getOwnPropertyNames(prototype)
    .filter((name) => name !== 'constructor')
    .filter((name) => {
      const config = Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, prototype[name]!) as
        Partial<OperationConfig & OperatorRouteConfig & PublicRouteConfig> | undefined;
      return !config?.operation?.role && !config?.operatorRoute?.room.path && !config?.publicRoute;
    })
    .map((name) => `${controller.name}.${name}`);
}

describe('every route', () => {
  let api: TestApi;
  let operations: ServedOperation[];
  let document: OpenAPIObject;
  beforeAll(async () => {
    api = await TestApi.start();
    operations = operationsOf(api.app);
    document = openApiDocument(api.app, 'https://ipm.example');
  });
  afterAll(() => api.close());

  function bodyOf({ call, method }: ServedOperation): BodySchema {
    const { paths, components } = document;
    const item = paths[`/${call.replace(/:(\w+)/g, '{$1}')}`];
    const operation = method === 'GET' ? item?.get : item?.post;
    if (!operation) throw new Error(`${method} ${call} is served and not in the document`);
    const body = operation.requestBody as { content: Record<string, { schema: { $ref: string } }> } | undefined;
    const name = body?.content['application/json']?.schema.$ref.split('/').at(-1);
    return name === undefined ? {} : (components?.schemas?.[name] as BodySchema);
  }

  const callsWhere = (holds: (options: OperationOptions, body: BodySchema) => boolean): string[] =>
    operations.filter((operation) => holds(operation.options, bodyOf(operation))).map(({ call }) => call);

  it('declares its role or that it is public', async () => {
    const controllers = await controllersOfTheSource();
    expect(controllers.length).toBeGreaterThanOrEqual(4);
    expect(controllers.flatMap(undeclaredMethods)).toEqual([]);
  });

  it('of the source is served by a module', async () => {
    const served = [...api.app.get(ModulesContainer).values()].flatMap((module) => [...module.controllers.values()]);
    const names = new Set(served.map(({ metatype }) => (metatype as Type).name));
    const sources = await controllersOfTheSource();
    expect(sources.map(({ name }) => name).filter((name) => !names.has(name))).toEqual([]);
  });

  it('would be found if it declared nothing', () => {
    class Careless {
      @Operation('declared', { role: 'owner', summary: 'declared' })
      declared(): object {
        return {};
      }
      @PublicRoute()
      probe(): object {
        return {};
      }
      forgotten(): object {
        return {};
      }
    }
    expect(undeclaredMethods(Careless)).toEqual(['Careless.forgotten']);
  });

  it('has a path of its own', () => {
    const names = operations.map(({ method, call }) => `${method} ${call}`);
    expect(names.length).toBeGreaterThan(10);
    expect(new Set(names).size).toBe(names.length);
  });

  it('that writes takes request_context and an idempotency key, and only such a route does', () => {
    const writes = callsWhere(({ write }) => write === true);
    expect(writes.length).toBeGreaterThan(0);
    expect(callsWhere((_options, { required }) => required?.includes('request_context') === true)).toEqual(writes);
    expect(callsWhere((_options, { properties }) => properties?.idempotency_key !== undefined)).toEqual(writes);
  });

  it('that writes asks for reason and source_refs', () => {
    const contractNeedsNone = ['bulk/import/commit'];
    const silent = callsWhere(
      ({ write }, { required = [] }) =>
        write === true && !['reason', 'source_refs'].every((name) => required.includes(name)),
    );
    expect(silent.filter((call) => !contractNeedsNone.includes(call))).toEqual([]);
  });

  it('that writes is closed to those who may only look', () => {
    const open = callsWhere(
      ({ write, role }) => write === true && ['anyone', 'integration_view', 'audit'].includes(role),
    );
    expect(open).toEqual([]);
  });

  it('that holds a secret in its answer is a write, so that it is stored sealed', () => {
    expect(callsWhere(({ secretAnswer, write }) => secretAnswer === true && write !== true)).toEqual([]);
  });

  it('that asks for expected_revision knows whose, for the snapshot of 428', () => {
    const asking = callsWhere((_options, { required }) => required?.includes('expected_revision') === true);
    expect(callsWhere(({ revisionOf }) => revisionOf !== undefined)).toEqual(asking);
  });

  const branches = (): string[] =>
    api.app
      .getHttpAdapter()
      .getInstance()
      .printRoutes({ commonPrefix: false })
      .split(/\n(?=[├└])/);

  it('below /api is declared by a room for operators, and lies below its path', () => {
    const declared = operatorRoutesOf(api.app);
    const below = branches().filter((branch) => /^[├└]── \/api\//.test(branch));
    const methods = below.flatMap((branch) =>
      [...branch.matchAll(/\(([A-Z, ]+)\)/g)].flatMap(([, list]) => list!.split(', ')),
    );
    expect(methods).toHaveLength(declared.length);
    expect(declared.filter(({ path, options }) => !path.startsWith(options.room.path))).toEqual([]);
  });

  it('beyond these is a probe, the metrics, or a file whose URL is the credential', () => {
    const outside = branches().filter((branch) => !/^[├└]── \/(ipm|api)\//.test(branch));
    expect(outside.map((branch) => branch.replace(/^[├└]── /, '').trim()).sort()).toEqual([
      '/files (PUT, GET)',
      '/health/live (GET)',
      '/health/ready (GET)',
      '/metrics (GET)',
    ]);
  });

  it('for anyone is the health check alone', () => {
    expect(callsWhere(({ role }) => role === 'anyone')).toEqual(['stat']);
  });
});

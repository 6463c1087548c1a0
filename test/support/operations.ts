import type { Type } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { ModulesContainer } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import type { OperationConfig, OperationOptions } from '../../src/platform/http/operation.js';
import type { OperatorRouteConfig, OperatorRouteOptions } from '../../src/platform/http/operator-route.js';

export interface ServedOperation {
  /** Below /ipm, as in `stats.call`: `access/key/create`. */
  call: string;
  /** The same for TestApi, with a value for each parameter: `/access/key/create`. */
  path: string;
  method: 'GET' | 'POST';
  options: OperationOptions;
  /** `AccessController.createKey` */
  handler: string;
  /** The wire shape of its body, if it takes one. */
  body: Type | undefined;
}

/** An answer without an end would keep TestApi waiting for it: the stream is asked to go on after an event that never was. */
const REFUSED: Readonly<Record<string, string>> = { 'cdc/stream': '?from=nothing' };

const BODY_PARAMETER = 3; // RouteParamtypes.BODY, which Nest does not export

/** Every operation that the application serves, from the metadata of its controllers. */
export function operationsOf(app: NestFastifyApplication): ServedOperation[] {
  return controllersOf(app)
    .flatMap(operationsIn)
    .sort((a, b) => (a.call < b.call ? -1 : 1));
}

export interface ServedOperatorRoute {
  method: 'GET' | 'POST';
  /** `/api/admin/operations/:operationRun` */
  path: string;
  options: OperatorRouteOptions;
}

/** Every route of the rooms for operators. */
export function operatorRoutesOf(app: NestFastifyApplication): ServedOperatorRoute[] {
  return controllersOf(app).flatMap((controller) => {
    const prototype = controller.prototype as Record<string, unknown>;
    return Object.getOwnPropertyNames(prototype).flatMap((name) => {
      const handler = prototype[name];
      if (typeof handler !== 'function') return [];
      const config = Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler) as
        Partial<OperatorRouteConfig> | undefined;
      if (!config?.operatorRoute) return [];
      const path = `/${[pathOf(controller), pathOf(handler)].filter(Boolean).join('/')}`;
      return [{ method: config.operatorRoute.method ?? 'GET', path, options: config.operatorRoute }];
    });
  });
}

function controllersOf(app: NestFastifyApplication): Type[] {
  const controllers = [...app.get(ModulesContainer).values()].flatMap((module) => [...module.controllers.values()]);
  return [...new Set(controllers.map(({ metatype }) => metatype as Type))];
}

function operationsIn(controller: Type): ServedOperation[] {
  const prototype = controller.prototype as Record<string, unknown>;
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    const handler = prototype[name];
    if (typeof handler !== 'function') return [];
    const config = Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler) as Partial<OperationConfig> | undefined;
    if (!config?.operation) return [];
    const call = [pathOf(controller), pathOf(handler)].filter(Boolean).join('/');
    return [
      {
        call,
        path: `/${call.replace(/:\w+/g, 'x')}${REFUSED[call] ?? ''}`,
        method: config.operation.method ?? 'POST',
        options: config.operation,
        handler: `${controller.name}.${name}`,
        body: bodyOf(controller, prototype, name),
      },
    ];
  });
}

function pathOf(target: object): string {
  return String(Reflect.getMetadata('path', target) ?? '').replace(/^\/+|\/+$/g, '');
}

function bodyOf(controller: Type, prototype: object, name: string): Type | undefined {
  const parameters = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as Record<
    string,
    { index: number }
  >;
  const body = Object.entries(parameters).find(([key]) => key.startsWith(`${BODY_PARAMETER}:`))?.[1];
  const types = Reflect.getMetadata('design:paramtypes', prototype, name) as Type[] | undefined;
  return body && types?.[body.index];
}

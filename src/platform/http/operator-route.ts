import { applyDecorators, Get, HttpCode, Post, type Type } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExtension, ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { OperatorRoom } from './operator-room.js';

export interface OperatorRouteOptions {
  room: OperatorRoom;
  summary: string;
  description?: string;
  method?: 'GET' | 'POST';
  /** The shape of the whole answer: there is no envelope but the room's own. */
  answer: Type;
}

/** What the way in reads of a route, from Fastify's route options. */
export interface OperatorRouteConfig {
  operatorRoute: OperatorRouteOptions;
}

/** Beside `@Operation`: a route of a room for operators, who show X-API-Key and name no organisation. The path is below the room's. */
export function OperatorRoute(path: string, options: OperatorRouteOptions): MethodDecorator {
  const { method = 'GET', summary, description, answer } = options;
  return applyDecorators(
    method === 'POST' ? Post(path) : Get(path),
    HttpCode(200),
    RouteConfig({ operatorRoute: options } satisfies OperatorRouteConfig),
    ApiOperation({ summary, ...(description ? { description } : {}) }),
    ApiResponse({ status: 200, description: summary, type: answer }),
    ApiResponse({ status: 'default', description: 'Refused or failed', schema: { type: 'object' } }),
    ApiExtension('x-ipm-extension', true), // beyond the contract of /ipm
  );
}

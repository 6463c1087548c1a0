import { applyDecorators, Get, HttpCode, Post, type Type } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import {
  ApiConsumes,
  ApiExtension,
  ApiExtraModels,
  ApiHeader,
  ApiOperation,
  ApiResponse,
  getSchemaPath,
} from '@nestjs/swagger';
import { Envelope } from './envelope.dto.js';
import type { RequiredRole } from './roles.js';

/** The promise of a route, as the contract writes it. */
export interface ServiceLevel {
  routeClass: 'Tier A' | 'Tier B' | 'Tier C' | 'Tier D';
  qps: number;
  concurrency: number;
  p95Ms: number;
  p99Ms?: number;
}

export type RateClass = 'caller' | 'bulk' | 'feed';

export interface OperationOptions {
  /** Who may call; `anyone` needs no credential and no organisation. */
  role: RequiredRole | 'anyone';
  summary: string;
  description?: string;
  method?: 'GET' | 'POST';
  /** The shape of `data`; absent where the contract leaves it open. */
  data?: Type;
  level?: ServiceLevel;
  /** Changes something: audited, idempotent. */
  write?: boolean;
  /** The answer holds a secret that is shown once. */
  secretAnswer?: boolean;
  /** Finds what `expected_revision` is about, for the snapshot in 428. */
  revisionOf?: Type<RevisionedRecords>;
  /** `caller` counts against the limit of sessions or keys. */
  rateClass?: RateClass;
  /** The body holds a list of this name whose items are judged one by one; but for writes, which say who and why, one item a line (NDJSON) is as good. */
  batchOf?: string;
  /** Where a body may be larger than the bodies of other routes. */
  maxBodyBytes?: number;
  /** The contract names the header x-cccode for this route. */
  costCentre?: boolean;
  /** Ours, beyond the contract. */
  extension?: boolean;
}

/** Answers the present state of the record that a body is about, as the caller may see it, or undefined. */
export abstract class RevisionedRecords {
  abstract snapshot(orgcode: string, body: Readonly<Record<string, unknown>>): Promise<object | undefined>;
}

/** What the way in reads of a route, from Fastify's route options. */
export interface OperationConfig {
  operation: OperationOptions;
}

/** One decorator per route: method, 200, role, response schema, service level. A test walks them all. */
export function Operation(path: string, options: OperationOptions): MethodDecorator {
  const { method = 'POST', summary, description, data, extension = false } = options;
  return applyDecorators(
    method === 'POST' ? Post(path) : Get(path),
    HttpCode(200),
    RouteConfig({ operation: options } satisfies OperationConfig),
    ApiOperation({ summary, ...(description ? { description } : {}) }),
    ...headers(options),
    ...(takesLines(options) ? [ApiConsumes('application/json', NDJSON)] : []),
    ...(data ? [ApiExtraModels(Envelope, data)] : [ApiExtraModels(Envelope)]),
    ApiResponse({ status: 200, description: summary, schema: envelopeOf(data) }),
    ApiResponse({ status: 'default', description: 'Refused or failed', type: Envelope, ...EXTENSION } as never),
    ...levels(options.level),
    ...(extension ? [ApiExtension('x-ipm-extension', true)] : []),
  );
}

export function takesLines(operation: OperationOptions | undefined): boolean {
  return operation?.batchOf !== undefined && operation.write !== true;
}

/** One JSON value a line. */
export const NDJSON = 'application/x-ndjson';

const EXTENSION = { 'x-ipm-extension': true };
const ORGCODE_HEADER = { name: 'x-orgcode', required: true, schema: { type: 'string' } } as const;
const CCCODE_HEADER = { name: 'x-cccode', required: false, schema: { type: 'string' } } as const;

function headers({ role, costCentre }: OperationOptions): MethodDecorator[] {
  if (role === 'anyone') return [];
  return costCentre ? [ApiHeader(ORGCODE_HEADER), ApiHeader(CCCODE_HEADER)] : [ApiHeader(ORGCODE_HEADER)];
}

function envelopeOf(data: Type | undefined): object {
  const envelope = { $ref: getSchemaPath(Envelope) };
  if (!data) return envelope;
  return { allOf: [envelope, { type: 'object', properties: { data: { $ref: getSchemaPath(data) } } }] };
}

function levels(level: ServiceLevel | undefined): MethodDecorator[] {
  if (!level) return [];
  const { routeClass, qps, concurrency, p95Ms, p99Ms } = level;
  const promised: [`x-${string}`, unknown][] = [
    ['x-route-class', routeClass],
    ['x-qps-target', qps],
    ['x-concurrency-target', concurrency],
    ['x-latency-p95-ms', p95Ms],
    ...(p99Ms === undefined ? [] : ([['x-latency-p99-ms', p99Ms]] as [`x-${string}`, unknown][])),
  ];
  return promised.map(([name, value]) => ApiExtension(name, value));
}

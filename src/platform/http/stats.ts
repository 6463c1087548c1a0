import type { FastifyRequest } from 'fastify';
import { buildInfo } from '../config/build-info.js';
import type { Caller, ContextSource } from './caller.js';
import type { Stats } from './envelope.dto.js';

/** Where an event or a call belongs, as its request_context says; only shown, never believed. */
export interface ClaimedPlace {
  logical_guid?: string | undefined;
  channel_code?: string | undefined;
}

/** The `stats` of an answer: what was called, by whom as verified, with which build. */
export function statsOf(caller: Caller, { logical_guid, channel_code }: ClaimedPlace = {}): Stats {
  const { call, requestId, actor, contextSource, fingerprint, orgcode, cccode, roles } = caller;
  return {
    ...statsOfCall(call, requestId),
    actor,
    context_source: contextSource,
    ...fingerprintField(contextSource, fingerprint),
    orgcode,
    ...(cccode ? { cccode } : {}),
    ...(logical_guid ? { logical_guid } : {}),
    ...(channel_code ? { channel_code } : {}),
    roles: [...roles],
  };
}

export function fingerprintField(source: ContextSource, fingerprint: string | undefined): object {
  if (!fingerprint) return {};
  return source === 'api_key' ? { api_key_fingerprint: fingerprint } : { session_fingerprint: fingerprint };
}

/** For who was refused before there was a caller, and for operations that need none. */
export function statsOfRequest({ caller, requestIdentity, body }: FastifyRequest): Stats {
  if (!caller) return statsOfCall(requestIdentity.call, requestIdentity.requestId);
  return statsOf(caller, placeIn(body));
}

function statsOfCall(call: string, requestId: string): Stats {
  return { call, service: 'ipm', request_id: requestId, timestamp_utc: new Date().toISOString(), build: buildInfo };
}

function placeIn(body: unknown): ClaimedPlace {
  const context = (body as { request_context?: unknown } | undefined)?.request_context;
  if (typeof context !== 'object' || context === null) return {};
  const { logical_guid, channel_code } = context as Record<string, unknown>;
  return { logical_guid: textOnly(logical_guid), channel_code: textOnly(channel_code) };
}

function textOnly(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

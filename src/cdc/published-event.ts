import { maxLength } from 'class-validator';
import { AppError, type FieldProblem } from '../platform/errors/app-error.js';
import { assertStorable } from '../platform/http/body-hygiene.js';
import { UnreadableItem } from '../platform/http/body-parser.js';
import { eventErrors, type EventError } from './cdc.errors.js';
import { canonicalTime } from './event-time.js';

/** An event as somebody publishes it, its form checked. */
export interface PublishedEvent {
  event_id: string;
  service: string;
  action: string;
  occurred_at: string;
  logical_guid?: string;
  channel_code?: string;
  cccode?: string;
  resource_type?: string;
  resource_id?: string;
  ordering_key?: string;
  schema_version?: string;
  reason?: string;
  source_refs?: { kind: string; id: string }[];
  request_context?: { orgcode?: string; logical_guid?: string; channel_code?: string; cccode?: string };
  payload?: unknown;
}

export interface Rejection {
  error: EventError;
  fields: FieldProblem[];
}

export type Judgement = { event: PublishedEvent; occurredAt: string } | { rejection: Rejection };

/** Of the events that IPM itself makes. */
export const OWN_SERVICE = 'ipm';
const MAX_AHEAD_MS = 24 * 60 * 60_000;
const MAX_SOURCE_REFS = 100;

type Check = (value: unknown) => string | undefined;

const ofForm =
  (pattern: RegExp, tag: string): Check =>
  (value) =>
    typeof value === 'string' ? (pattern.test(value) ? undefined : tag) : 'not_text';

const text =
  (max: number): Check =>
  (value) => {
    if (typeof value !== 'string') return 'not_text';
    if (value.length > max && !maxLength(value, max)) return 'too_long'; // which counts 😀 as one
    return value.length === 0 ? 'too_short' : undefined;
  };

const NAME = 'not_a_name';
const kindProblem = text(128);
const idProblem = text(256);

/**
 * What stands in an event beside its payload. One table of plain checks and not the wire shape's decorators, which take six
 * times as long and would halve the rate of publishing; a spec holds the two against each other.
 */
export const EVENT_FIELDS: Readonly<Record<string, { required?: true; check: Check }>> = {
  event_id: { required: true, check: ofForm(/^[\x21-\x7e]{1,128}$/, 'not_an_id') },
  service: { required: true, check: ofForm(/^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,63}$/, NAME) },
  action: { required: true, check: ofForm(/^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}$/, NAME) },
  occurred_at: { required: true, check: (value) => (typeof value === 'string' ? undefined : 'not_a_time') },
  logical_guid: { check: text(256) },
  channel_code: { check: text(256) },
  cccode: { check: ofForm(/^[A-Za-z0-9_-]{1,64}$/, 'not_a_code') },
  resource_type: { check: text(128) },
  resource_id: { check: text(256) },
  ordering_key: { check: text(256) },
  schema_version: { check: text(32) },
  reason: { check: text(2_000) },
  source_refs: { check: sourceRefsProblem },
  request_context: { check: (value) => (isObject(value) ? undefined : 'not_an_object') },
};
const CHECKS = Object.entries(EVENT_FIELDS);
const CONTEXT_CHECKS: readonly (readonly [string, Check])[] = [
  ['logical_guid', text(256)],
  ['channel_code', text(256)],
  ['cccode', ofForm(/^[A-Za-z0-9_-]{1,64}$/, 'not_a_code')],
];

/** Whether one item of a batch is an event that may go into the log of the organisation. */
export function judgeForm(item: unknown, orgcode: string, nowMs: number): Judgement {
  const judgement = judgeHistory(item, orgcode, nowMs);
  return 'event' in judgement && judgement.event.service === OWN_SERVICE ? rejected(eventErrors.reserved) : judgement;
}

/** The same for what may have been in the log before: events that IPM itself made are welcome. */
export function judgeHistory(item: unknown, orgcode: string, nowMs: number): Judgement {
  if (item instanceof UnreadableItem || !isObject(item)) return rejected(eventErrors.unreadable);
  const fields = formProblems(item);
  if (fields.length > 0) return rejected(eventErrors.invalid, fields);
  const event = item as unknown as PublishedEvent;
  const occurredAt = canonicalTime(event.occurred_at);
  if (occurredAt === undefined) return rejected(eventErrors.invalid, [{ path: 'occurred_at', tag: 'not_a_time' }]);
  if (Date.parse(occurredAt) > nowMs + MAX_AHEAD_MS) return rejected(eventErrors.tooFarAhead);
  if ((event.request_context?.orgcode ?? orgcode) !== orgcode) return rejected(eventErrors.otherContext);
  return { event, occurredAt };
}

export function rejected(error: EventError, fields: FieldProblem[] = []): { rejection: Rejection } {
  return { rejection: { error, fields } };
}

function formProblems(item: Record<string, unknown>): FieldProblem[] {
  const problems: FieldProblem[] = [];
  for (const [name, { required, check }] of CHECKS) {
    const value = item[name];
    if (value === undefined || value === null) {
      if (required) problems.push({ path: name, tag: 'required' });
      continue;
    }
    const tag = check(value);
    if (tag !== undefined) problems.push({ path: name, tag });
  }
  const context = item.request_context;
  if (isObject(context)) problems.push(...contextProblems(context));
  return problems.length > 0 ? problems : storageProblems(item);
}

function contextProblems(context: Record<string, unknown>): FieldProblem[] {
  return CONTEXT_CHECKS.flatMap(([name, check]) => {
    const value = context[name];
    const tag = value === undefined || value === null ? undefined : check(value);
    return tag === undefined ? [] : [{ path: `request_context.${name}`, tag }];
  });
}

/** What the body as a whole is asked elsewhere: here one event answers for itself. */
function storageProblems(item: object): FieldProblem[] {
  try {
    assertStorable(item);
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [...(error.context.fields ?? [{ path: 'payload', tag: 'too_deep' }])];
  }
}

function sourceRefsProblem(value: unknown): string | undefined {
  if (!Array.isArray(value)) return 'not_a_list';
  if (value.length > MAX_SOURCE_REFS) return 'too_many';
  const isRef = (ref: unknown): boolean =>
    isObject(ref) && kindProblem(ref.kind) === undefined && idProblem(ref.id) === undefined;
  return value.every(isRef) ? undefined : 'not_source_refs';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

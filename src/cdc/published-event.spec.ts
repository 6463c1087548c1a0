import fc from 'fast-check';
import { AppError } from '../platform/errors/app-error.js';
import { UnreadableItem } from '../platform/http/body-parser.js';
import { assertStorable, MAX_BODY_DEPTH } from '../platform/http/body-hygiene.js';
import { RequestContext } from '../platform/http/request.dto.js';
import { declaredFields } from '../platform/http/shape.js';
import { ValidationPipe } from '../platform/http/validation.pipe.js';
import { EventToPublish } from './cdc.dto.js';
import { eventErrors } from './cdc.errors.js';
import { EVENT_FIELDS, judgeForm, type Judgement } from './published-event.js';

const ORGCODE = 'org';
const NOW_MS = Date.UTC(2026, 10, 21, 12);
const AFTER_ALL_TIMES_MS = Date.UTC(2300, 0, 1);

const event = {
  event_id: 'e-1',
  service: 'pos',
  action: 'basket.closed',
  occurred_at: '2026-11-21T12:00:00.123456+01:00',
};

const judged = (fields: object, nowMs = NOW_MS): Judgement => judgeForm({ ...event, ...fields }, ORGCODE, nowMs);
const refusal = (judgement: Judgement): object | undefined =>
  'rejection' in judgement ? judgement.rejection : undefined;
const invalid = (path: string, tag: unknown): object => ({ error: eventErrors.invalid, fields: [{ path, tag }] });

/** What the wire shape's own decorators say of a field; undefined where they are content. */
function tagOf(shape: typeof EventToPublish | typeof RequestContext, fields: object, name: string): string | undefined {
  try {
    new ValidationPipe().transform(fields, { type: 'body', metatype: shape });
    return undefined;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    expect(error.context.fields?.every(({ path }) => path === name || path.startsWith(`${name}.`))).toBe(true);
    return error.context.fields?.[0]?.tag;
  }
}

const LENGTHS = [1, 32, 64, 128, 256, 2_000];
const text = fc
  .tuple(
    fc.constantFrom('x', 'é', '😀', 'e\u0301', '☝\ufe0f', '\ufe0f', ' ', '-', '.', '\n'),
    fc.constantFrom(0, ...LENGTHS.flatMap((length) => [length - 1, length, length + 1])),
    fc.constantFrom('', '', 'a', ':', '\n'),
  )
  .map(([unit, length, start]) => start + unit.repeat(length));
const time = fc.oneof(
  fc.date({ min: new Date(0), max: new Date(7e12), noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom('2026-02-30T00:00:00Z', '2026-02-28t00:00:00.1234567z', '2026-01-01', '2201-01-01T00:00:00Z', 'now'),
);
const sourceRef = fc.oneof(
  fc.record({ kind: text, id: text }, { requiredKeys: [] }),
  fc.record({ kind: fc.constant('order'), id: fc.constantFrom<unknown>('1', '', 1, null, ['1']) }),
  fc
    .tuple(fc.constantFrom(127, 128, 129), fc.constantFrom(255, 256, 257))
    .map(([kind, id]) => ({ kind: 'k'.repeat(kind), id: 'i'.repeat(id) })),
  fc.constantFrom<unknown>(null, 'order', [], 7),
);
const sourceRefs = fc.oneof(
  fc.array(sourceRef, { maxLength: 2 }),
  fc.constantFrom(99, 100, 101).map((count) => Array(count).fill({ kind: 'order', id: '1' })),
);
const json = fc.jsonValue({ maxDepth: 3 }).filter(isStorable);
const name = fc
  .tuple(fc.stringMatching(/^[A-Za-z0-9_.:-]{0,2}$/), fc.constantFrom(0, 62, 63, 64, 65, 126, 127, 128, 129))
  .map(([start, length]) => start + 'n'.repeat(length));
const value = fc.oneof(text, name, time, sourceRefs, json, fc.string({ maxLength: 70 }), fc.constant(undefined));

/** Free of what is refused whichever field it stands in. */
const storable = value.filter(isStorable);

describe('the table of fields', () => {
  const named = (name: string): boolean => name !== 'payload';

  it('has the fields of the wire shape, and requires the same ones', () => {
    const declared = [...declaredFields(EventToPublish)].filter(([name]) => named(name));
    expect(Object.entries(EVENT_FIELDS).map(([name, { required = false }]) => [name, !required])).toEqual(
      declared.map(([name, { optional }]) => [name, optional]),
    );
  });

  /** Where an event is asked otherwise than its wire shape: names have a form, and source_refs are told their first fault alone. */
  const otherwise: Partial<Record<string, (tag: string | undefined, one: unknown) => unknown>> = {
    service: nameTag,
    action: nameTag,
    source_refs: (tag) => (tag === undefined ? undefined : (expect.any(String) as unknown)),
  };

  it.each(Object.keys(EVENT_FIELDS).filter((name) => name !== 'request_context'))(
    'says of %s what the wire shape says',
    (name) => {
      fc.assert(
        fc.property(storable, (one) => {
          const ofShape = tagOf(EventToPublish, { ...event, [name]: one }, name);
          const tag = otherwise[name] ? otherwise[name](ofShape, one) : ofShape;
          const judgement = judged({ [name]: one }, AFTER_ALL_TIMES_MS);
          if (tag === undefined) expect(judgement).toMatchObject({ event: { [name]: one } });
          else expect(refusal(judgement)).toEqual(invalid(name, tag));
        }),
        { numRuns: 500 },
      );
    },
  );

  it('says of the fields of a request context that it keeps what the shape of such a context says', () => {
    const context = { orgcode: ORGCODE, actor: 'spec', context_source: 'api_key' };
    fc.assert(
      fc.property(fc.constantFrom('logical_guid', 'channel_code', 'cccode'), storable, (name, one) => {
        const judgement = judged({ request_context: { ...context, [name]: one } });
        const tag = tagOf(RequestContext, { ...context, [name]: one }, name);
        const path = `request_context.${name}`;
        expect(refusal(judgement)).toEqual(tag === undefined ? undefined : invalid(path, tag));
      }),
      { numRuns: 500 },
    );
  });

  it('takes any object for a request context and nothing else, as the wire shape does', () => {
    fc.assert(
      fc.property(json, (one) => {
        const isGood = tagOf(EventToPublish, { ...event, request_context: one }, 'request_context') === undefined;
        expect(refusal(judged({ request_context: one })) === undefined).toBe(isGood);
      }),
    );
  });
});

describe('an event', () => {
  it('may have any JSON for its payload', () => {
    fc.assert(
      fc.property(json, (payload) => {
        expect(judged({ payload })).toMatchObject({ event: { payload } });
      }),
    );
  });

  it('is the one that was given, with its time as the log keeps it', () => {
    const given = { ...event, logical_guid: null, unknown: 7 };
    const judgement = judgeForm(given, ORGCODE, NOW_MS);
    expect(judgement).toEqual({ event: given, occurredAt: '2026-11-21T11:00:00.123456Z' });
    expect((judgement as { event: object }).event).toBe(given);
  });

  it.each([[null], [undefined], [7], ['{}'], [[event]], [new UnreadableItem()]])('is no %p', (item) => {
    expect(refusal(judgeForm(item, ORGCODE, NOW_MS))).toEqual({ error: eventErrors.unreadable, fields: [] });
  });

  it('is told every field that is wrong at once', () => {
    const { event_id, ...nameless } = event;
    const judgement = judgeForm(
      { ...nameless, service: 7, reason: '', request_context: { cccode: 'a b', channel_code: 7 } },
      event_id,
      NOW_MS,
    );
    expect(refusal(judgement)).toEqual({
      error: eventErrors.invalid,
      fields: [
        { path: 'event_id', tag: 'required' },
        { path: 'service', tag: 'not_text' },
        { path: 'reason', tag: 'too_short' },
        { path: 'request_context.channel_code', tag: 'not_text' },
        { path: 'request_context.cccode', tag: 'not_a_code' },
      ],
    });
  });

  it.each([
    ['text with a NUL', { payload: { note: ['a\0'] } }, { path: 'payload.note.0', tag: 'not_storable' }],
    ['half a character', { resource_id: '\ud800' }, { path: 'resource_id', tag: 'not_storable' }],
    ['a name that cannot be stored', { payload: { 'a\0': 1 } }, { path: 'payload', tag: 'not_storable' }],
    ['a number that is no longer what was sent', { payload: { n: 2 ** 53 } }, { path: 'payload.n', tag: 'not_exact' }],
    ['what nobody reads, if it cannot be stored', { unknown: '\0' }, { path: 'unknown', tag: 'not_storable' }],
    ['nesting without end', { payload: nested(MAX_BODY_DEPTH) }, { path: 'payload', tag: 'too_deep' }],
  ])('does not hold %s', (_what, fields, problem) => {
    expect(refusal(judged(fields))).toEqual({ error: eventErrors.invalid, fields: [problem] });
  });

  it('may be nested as deep as a body', () => {
    expect(refusal(judged({ payload: nested(MAX_BODY_DEPTH - 1) }))).toBeUndefined();
  });

  it('lies at most 24 hours ahead, to the millisecond', () => {
    const at = (aheadMs: number): object | undefined =>
      refusal(judged({ occurred_at: new Date(NOW_MS + aheadMs).toISOString() }));
    expect(at(24 * 3_600_000)).toBeUndefined();
    expect(at(24 * 3_600_000 + 1)).toEqual({ error: eventErrors.tooFarAhead, fields: [] });
    expect(at(-50 * 365 * 24 * 3_600_000)).toBeUndefined();
  });

  it('is not of the service ipm, in this spelling alone', () => {
    expect(refusal(judged({ service: 'ipm' }))).toEqual({ error: eventErrors.reserved, fields: [] });
    for (const service of ['IPM', 'ipm2', 'ipm.x']) expect(refusal(judged({ service }))).toBeUndefined();
  });

  it.each(['', '.a', '-a', ':a', 'a b', 'a/b', 'é', 'a\n', 'x'.repeat(129)])('has no action "%s"', (action) => {
    expect(refusal(judged({ action }))).toEqual(invalid('action', 'not_a_name'));
  });

  it.each([{}, { orgcode: null }, { orgcode: ORGCODE }])('may name its own organisation: %j', (request_context) => {
    expect(refusal(judged({ request_context }))).toBeUndefined();
  });

  it.each(['other', '', 'ORG', 7, {}, [ORGCODE]])('names no other organisation: %j', (orgcode) => {
    expect(refusal(judged({ request_context: { orgcode } }))).toEqual({ error: eventErrors.otherContext, fields: [] });
  });
});

function nameTag(tag: string | undefined, one: unknown): string | undefined {
  if (typeof one !== 'string') return tag;
  return tag === undefined && /^[A-Za-z0-9_][A-Za-z0-9_.:-]*$/.test(one) ? undefined : 'not_a_name';
}

function isStorable(one: unknown): boolean {
  try {
    assertStorable({ one });
    return true;
  } catch {
    return false;
  }
}

function nested(depth: number): unknown {
  let inner: unknown = 1;
  for (let i = 0; i < depth; i += 1) inner = [inner];
  return inner;
}

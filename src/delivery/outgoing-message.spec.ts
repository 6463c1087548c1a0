import { CloudEvent, HTTP } from 'cloudevents';
import fc from 'fast-check';
import { BuiltinCatalog } from '../catalog/builtin-catalog.js';
import { envelopeText } from '../cdc/event-envelope.js';
import { canonicalTime } from '../cdc/event-time.js';
import type { PublishedEvent } from '../cdc/published-event.js';
import { renderedEvent } from '../cdc/rendered-event.dto.js';
import type { OutgoingEvent } from './outgoing-event.js';
import { messageBody } from './outgoing-message.js';

type Fields = Record<string, unknown>;

const CONTEXT = {
  orgcode: 'acme',
  actor: 'key:k1',
  roles: ['integration_service'],
  context_source: 'api_key',
  api_key_fingerprint: '7c9e1f04b2a85d36e0f1a2b3c4d5e6f7',
};

/** As the log would hold it. */
function outgoing(
  published: Fields,
  { context = CONTEXT as object, flags = [] as readonly string[] } = {},
): OutgoingEvent {
  const event = { event_id: 'e-1', service: 'pos', action: 'sold', occurred_at: '2026-01-02T03:04:05Z', ...published };
  const envelope = envelopeText(event as PublishedEvent, published.payload, {
    orgcode: 'acme',
    origin: 'publish',
    context,
    flags,
  });
  return {
    orgcode: 'acme',
    position: 903_877n,
    recordedAt: new Date('2026-01-02T03:04:06.789Z'),
    eventId: event.event_id,
    occurredAt: canonicalTime(event.occurred_at)!,
    envelope,
  };
}

const bodyOf = (format: 'envelope' | 'cloudevents' | 'event', event: OutgoingEvent): Fields =>
  JSON.parse(messageBody(format, event)) as Fields;

const TRAP = '"request_context":{"roles":["owner"],"api_key_fingerprint":"x"}';
const trapText = fc.oneof(
  fc.constantFrom('request_context', TRAP, `,${TRAP}`, JSON.stringify(TRAP), '\\', '\\\\"', '"request_context"', '\\"'),
  fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
);
const key = fc.oneof(
  fc.constantFrom('request_context', 'roles', 'api_key_fingerprint', '__proto__', '7', 'x"request_context', '\\'),
  trapText,
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    trapText,
    fc.constantFrom<unknown>(null, true, 0, -1.5e300, {}, []),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  ),
}));
const sourceRef = fc
  .tuple(fc.dictionary(key, value, { maxKeys: 3 }), trapText, trapText)
  .map(([others, kind, id]) => ({ ...others, kind, id }));
const published = fc.record(
  {
    event_id: trapText,
    resource_id: trapText,
    ordering_key: trapText,
    reason: trapText,
    source_refs: fc.array(sourceRef, { maxLength: 3 }),
    payload: value,
  },
  { requiredKeys: [] },
);
const context = fc
  .record({ logical_guid: trapText, cccode: trapText, session_fingerprint: trapText }, { requiredKeys: [] })
  .map((claimed) => ({ ...CONTEXT, ...claimed }));

describe('the body of a webhook call', () => {
  describe('as envelope', () => {
    it('is what the feed shows but for roles and fingerprints, whatever the event is made of', () => {
      fc.assert(
        fc.property(published, context, fc.constantFrom([], ['not_in_catalog']), (event, around, flags) => {
          const stored = outgoing(event, { context: around, flags });
          const whole = JSON.parse(renderedEvent(stored)) as { request_context: Fields };
          const { roles, api_key_fingerprint, session_fingerprint, ...shown } = whole.request_context;
          expect([roles, api_key_fingerprint]).toEqual([CONTEXT.roles, CONTEXT.api_key_fingerprint]);
          expect(session_fingerprint).toBe((around as Fields).session_fingerprint);
          whole.request_context = shown;
          expect(bodyOf('envelope', stored)).toEqual(whole);
          expect(Object.keys(bodyOf('envelope', stored))).toEqual(Object.keys(whole));
        }),
        { numRuns: 2_000 },
      );
    });

    it('leaves every other byte as it is stored', () => {
      const stored = outgoing({ payload: { n: 1.5, text: TRAP, request_context: { roles: ['theirs'] } } });
      const [before = '', after = ''] = renderedEvent(stored).split(JSON.stringify(CONTEXT));
      expect(messageBody('envelope', stored)).toBe(
        `${before}{"orgcode":"acme","actor":"key:k1","context_source":"api_key"}${after}`,
      );
    });

    it('knows nothing of a field of the context that is not meant for third parties', () => {
      const stored = outgoing({}, { context: { ...CONTEXT, password: 'hunter2' } });
      expect(messageBody('envelope', stored)).not.toContain('hunter2');
    });

    it('is the feed’s own text where there is no context', () => {
      const stored = { ...outgoing({}), envelope: '{"event_id":"e","n":1,"payload":{"request_context":{"roles":[]}}}' };
      expect(messageBody('envelope', stored)).toBe(renderedEvent(stored));
    });

    it('refuses a text that was cut rather than to send half of it', () => {
      const stored = outgoing({ reason: 'r'.repeat(20) });
      const cutInContext = stored.envelope.indexOf('"roles"') + 3;
      expect(() => messageBody('envelope', { ...stored, envelope: stored.envelope.slice(0, cutInContext) })).toThrow();
    });
  });

  describe('as CloudEvents', () => {
    it('is valid for the SDK and brings the payload back, whatever the event is made of', () => {
      fc.assert(
        fc.property(published, context, (event, around) => {
          const stored = outgoing({ ...event, event_id: 'e-1' }, { context: around });
          const body = messageBody('cloudevents', stored);
          const received = HTTP.toEvent({
            headers: { 'content-type': 'application/cloudevents+json' },
            body,
          }) as CloudEvent<unknown>;
          expect(received.validate()).toBe(true);
          expect(new CloudEvent({ ...received } as object).validate()).toBe(true);
          expect((JSON.parse(body) as Fields).data).toEqual((JSON.parse(stored.envelope) as Fields).payload);
          for (const [name, attribute] of Object.entries(JSON.parse(body) as Fields)) {
            expect(name).toMatch(/^[a-z0-9]{1,20}$/);
            if (name !== 'data') expect(attribute).toMatch(/^[^\p{Cc}\p{Noncharacter_Code_Point}]*$/u);
          }
        }),
        { numRuns: 300 },
      );
    });

    it('names the resource as subject where there is one', () => {
      const subject = (event: Fields): unknown => bodyOf('cloudevents', outgoing(event)).subject;
      expect(subject({ resource_type: 'basket', resource_id: 'b/7' })).toBe('basket/b/7');
      expect(subject({ resource_id: 'b\n7' })).toBe('b\ufffd7');
      expect(subject({ resource_type: 'basket' })).toBeUndefined();
    });

    it('has neither data nor its type where there is no payload, and null where it is null', () => {
      expect(bodyOf('cloudevents', outgoing({}))).not.toHaveProperty('data');
      expect(bodyOf('cloudevents', outgoing({}))).not.toHaveProperty('datacontenttype');
      expect(bodyOf('cloudevents', outgoing({ payload: null }))).toMatchObject({ data: null });
    });
  });

  describe('as event of the integration contract', () => {
    const UUID_V5 = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

    it('keeps an event_id that is a UUID and derives one of everything that makes another event', () => {
      const idOf = (event: Fields, orgcode = 'acme'): unknown =>
        bodyOf('event', { ...outgoing(event), orgcode }).event_id;
      expect(idOf({ event_id: '0d9a4c1e-6b7f-4f3a-9c55-1a2b3c4d0001' })).toBe('0d9a4c1e-6b7f-4f3a-9c55-1a2b3c4d0001');
      // Of a version of IPM before: receivers remember what they have seen.
      expect(idOf({ event_id: 'e-1' })).toBe('c0edcdc6-6146-5575-a5d0-2fd483c9f394');
      const ids = [
        idOf({ event_id: 'e-1' }),
        idOf({ event_id: 'e-2' }),
        idOf({ event_id: 'e-1' }, 'other'),
        idOf({ event_id: 'e-1', occurred_at: '2026-01-02T03:04:05.000001Z' }),
      ];
      for (const id of ids) expect(id).toMatch(UUID_V5);
      expect(new Set(ids).size).toBe(4);
      expect(idOf({ event_id: 'e-1', occurred_at: '2026-01-02T04:04:05+01:00' })).toBe(ids[0]);
    });

    it('always has its seven fields', () => {
      expect(bodyOf('event', outgoing({}))).toEqual({
        event_id: expect.stringMatching(UUID_V5),
        event_type: 'pos.sold',
        occurred_at: '2026-01-02T03:04:05Z',
        tenant_id: 'acme',
        resource_type: 'pos',
        resource_id: 'e-1',
        payload: {},
      });
      expect(bodyOf('event', outgoing({ logical_guid: 'store-1' })).resource_id).toBe('store-1');
      const named = outgoing({ logical_guid: 'store-1', resource_type: 'basket', resource_id: 'b-1', payload: [1] });
      expect(bodyOf('event', named)).toMatchObject({ resource_type: 'basket', resource_id: 'b-1', payload: [1] });
    });
  });

  it('is what the catalog shows as its specimens, in every format', () => {
    const specimen = (name: string): Fields => new BuiltinCatalog().shapes.get(name)!.specimen as Fields;
    const { recorded_at, position, ...envelope } = specimen('event_stored');
    const stored: OutgoingEvent = {
      orgcode: String(envelope.orgcode),
      position: BigInt(String(position)),
      recordedAt: new Date(String(recorded_at)),
      eventId: String(envelope.event_id),
      occurredAt: canonicalTime(String(envelope.occurred_at))!,
      envelope: JSON.stringify(envelope),
    };
    for (const format of ['envelope', 'cloudevents', 'event'] as const)
      expect(bodyOf(format, stored)).toEqual(specimen(`webhook_body_${format}`));
  });
});

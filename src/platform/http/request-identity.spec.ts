import fc from 'fast-check';
import { requestIdOf, traceOf } from './request-identity.js';

describe('the ids of a request', () => {
  it('are the caller’s when visible ASCII of 1 to 128, else ours', () => {
    const visible = fc.string({
      unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
      minLength: 1,
      maxLength: 128,
    });
    fc.assert(fc.property(visible, (id) => expect(requestIdOf({ 'x-request-id': id })).toBe(id)));
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (id) => {
        expect(requestIdOf({ 'x-request-id': id })).toMatch(/^[\x21-\x7e]{1,128}$/);
      }),
    );
  });

  it('are well-formed for every traceparent, with a span of our own', () => {
    const hex = (length: number): fc.Arbitrary<string> =>
      fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
    fc.assert(
      fc.property(hex(32), hex(16), hex(2), (traceId, span, flags) => {
        const trace = traceOf({ traceparent: `00-${traceId}-${span}-${flags}` });
        expect(trace.traceparent).toMatch(/^00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);
        if (!/^0+$/.test(traceId) && !/^0+$/.test(span))
          expect(trace.traceparent.startsWith(`00-${traceId}-`)).toBe(true);
        expect(trace.traceparent).not.toContain(`-${span}-`);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) =>
        expect(traceOf({ traceparent: text }).traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/),
      ),
    );
  });

  it('start a trace that is not sampled where the caller has none', () => {
    expect(traceOf({}).traceparent).toMatch(/-00$/);
    expect(traceOf({}).traceId).not.toBe(traceOf({}).traceId);
  });
});

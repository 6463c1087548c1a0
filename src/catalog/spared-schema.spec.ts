import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { compilePayloadSchema } from './payload-schema.js';
import { MASK, Redaction } from './redaction.js';
import type { RedactionMode } from './redaction-rules.js';

const hash = (text: string): Buffer => createHmac('sha256', 'k').update(text).digest();
const email = { type: 'string', format: 'email' };
const OPEN = 'ada@example.com';

interface Shape {
  schema: object;
  rules: Record<string, RedactionMode>;
  payload: object;
  /** The same payload with a fault that no rule explains. */
  bad: object;
}

/** The ways in which a schema may come to say something of a value that a rule names. */
const shapes: [string, Shape][] = [
  [
    'through a definition',
    {
      schema: {
        $defs: {
          email,
          person: { type: 'object', required: ['email'], properties: { email: { $ref: '#/$defs/email' } } },
        },
        properties: { buyer: { $ref: '#/$defs/person' }, n: { type: 'number' } },
      },
      rules: { 'buyer.email': 'mask' },
      payload: { buyer: { email: OPEN }, n: 1 },
      bad: { buyer: { email: OPEN }, n: 'one' },
    },
  ],
  [
    'in each of several schemas',
    {
      schema: {
        allOf: [{ properties: { email } }, { properties: { email: { maxLength: 20 }, n: { type: 'number' } } }],
      },
      rules: { email: 'hash' },
      payload: { email: OPEN, n: 1 },
      bad: { email: OPEN, n: 'one' },
    },
  ],
  [
    'in one of several branches',
    {
      schema: {
        oneOf: [
          { required: ['kind', 'at'], properties: { kind: { const: 'mail' }, at: email } },
          { required: ['kind', 'at'], properties: { kind: { const: 'phone' }, at: { pattern: '^\\+' } } },
        ],
      },
      rules: { at: 'mask' },
      payload: { kind: 'mail', at: OPEN },
      bad: { kind: 'letter', at: OPEN },
    },
  ],
  [
    'under a condition',
    {
      schema: {
        if: { properties: { kind: { const: 'mail' } } },
        then: { required: ['at'], properties: { at: email } },
        else: { required: ['n'] },
      },
      rules: { at: 'drop' },
      payload: { kind: 'mail', at: OPEN },
      bad: { kind: 'phone', at: OPEN },
    },
  ],
  [
    'in the items of a list',
    {
      schema: {
        properties: {
          tags: { type: 'array', items: email },
          lines: { items: { properties: { to: email, n: { type: 'number' } } } },
        },
      },
      rules: { 'tags[]': 'hash', 'lines[].to': 'mask' },
      payload: { tags: [OPEN], lines: [{ to: OPEN }] },
      bad: { tags: [OPEN], lines: [{ to: OPEN, n: 'one' }] },
    },
  ],
  [
    'at a place in a list',
    {
      schema: { properties: { pair: { prefixItems: [email, { type: 'number' }] } } },
      rules: { 'pair[]': 'mask' },
      payload: { pair: [OPEN, 1] },
      bad: { pair: [OPEN, null] },
    },
  ],
  [
    'with other names beside it',
    {
      schema: {
        additionalProperties: false,
        required: ['email', 'note', 'n'],
        properties: { email, note: { enum: ['a', OPEN] }, n: { type: 'number' } },
      },
      rules: { email: 'mask', note: 'drop' },
      payload: { email: OPEN, note: OPEN, n: 1 },
      bad: { email: OPEN, note: OPEN },
    },
  ],
];

describe('a schema that spares what is redacted', () => {
  it.each(shapes)(
    'takes the mark of a rule and finds any other fault: %s',
    (_what, { schema, rules, payload, bad }) => {
      const redaction = new Redaction(rules);
      const [plain, sparing] = [compilePayloadSchema(schema), compilePayloadSchema(schema, redaction)];
      const redacted = redaction.apply(payload, hash);
      expect(JSON.stringify(redacted)).not.toContain(OPEN);
      expect([plain(payload), sparing(payload), sparing(redacted)]).toEqual([[], [], []]);
      expect(plain(bad)).not.toEqual([]);
      expect(sparing(bad)).toEqual(plain(bad));
      expect(sparing(redaction.apply(bad, hash))).not.toEqual([]);
    },
  );

  it('takes a mark only where its rule puts it, though the same definition stands elsewhere', () => {
    const person = { type: 'object', required: ['email', 'note'], properties: { email, note: { type: 'number' } } };
    const schema = {
      $defs: { person },
      properties: { buyer: { $ref: '#/$defs/person' }, seller: { $ref: '#/$defs/person' } },
    };
    const check = compilePayloadSchema(schema, new Redaction({ 'buyer.email': 'mask', 'buyer.note': 'drop' }));
    const [open, redacted] = [{ email: OPEN, note: 1 }, { email: MASK }];
    expect(check({ buyer: redacted, seller: open })).toEqual([]);
    expect(check({ buyer: open, seller: { ...open, email: MASK } })).toEqual([
      { path: 'payload.seller.email', tag: 'schema_format' },
    ]);
    expect(check({ buyer: redacted, seller: { email: OPEN } })).toEqual([
      { path: 'payload.seller.note', tag: 'schema_required' },
    ]);
  });

  it('says what is wrong with an open value as if there were no rule', () => {
    const schema = { required: ['email', 'id', 'note'], properties: { email, note: { type: 'string' } } };
    const check = compilePayloadSchema(schema, new Redaction({ email: 'mask', note: 'drop' }));
    expect(check({ email: 'nobody', id: 1, note: 'n' })).toEqual([{ path: 'payload.email', tag: 'schema_format' }]);
    expect(check({ email: OPEN, id: 1, note: 7 })).toEqual([{ path: 'payload.note', tag: 'schema_type' }]);
    expect(check({ email: OPEN, note: 'n' })).toEqual([{ path: 'payload.id', tag: 'schema_required' }]);
    expect(check({ id: 1 })).toEqual([{ path: 'payload.email', tag: 'schema_required' }]);
  });

  it('judges what holds no mark and lacks nothing that is dropped as it did without rules', () => {
    const field = fc.constantFrom<unknown>(OPEN, 'nobody', 7, null, [OPEN], [7], { email: OPEN }, { email: 7 });
    const payloads = fc.dictionary(
      fc.constantFrom('buyer', 'at', 'kind', 'tags', 'pair', 'email', 'n', 'lines'),
      field,
    );
    for (const [, { schema, rules }] of shapes) {
      const kept = Object.entries(rules).filter(([, mode]) => mode !== 'drop');
      const [plain, sparing] = [
        compilePayloadSchema(schema),
        compilePayloadSchema(schema, new Redaction(Object.fromEntries(kept))),
      ];
      fc.assert(fc.property(payloads, (payload) => expect(sparing(payload)).toEqual(plain(payload))));
    }
  });
});

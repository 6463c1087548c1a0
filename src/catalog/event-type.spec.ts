import fc from 'fast-check';
import {
  ACTION_NAME,
  compareVersions,
  isWeaker,
  SCHEMA_VERSION,
  SERVICE_NAME,
  VALIDATION_LEVELS,
} from './event-type.js';

const part = fc.integer({ min: 0, max: 9_999 });
const version = fc.tuple(part, part).map(([major, minor]) => `${major}.${minor}`);

describe('versions of event types', () => {
  it('come after each other as numbers, not as texts', () => {
    expect(['1.10', '2.0', '1.9', '10.0', '0.99'].sort(compareVersions)).toEqual([
      '0.99',
      '1.9',
      '1.10',
      '2.0',
      '10.0',
    ]);
  });

  it('are in one order, in which only equal texts are equal', () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(SCHEMA_VERSION.test(a)).toBe(true);
        expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0);
        expect(compareVersions(a, b) === 0).toBe(a === b);
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0)
          expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it('compare by the major part first', () => {
    fc.assert(
      fc.property(part, part, part, part, (aMajor, aMinor, bMajor, bMinor) => {
        fc.pre(aMajor !== bMajor);
        const order = compareVersions(`${aMajor}.${aMinor}`, `${bMajor}.${bMinor}`);
        expect(Math.sign(order)).toBe(Math.sign(aMajor - bMajor));
      }),
    );
  });

  it.each(['1', '1.', '.1', '01.0', '1.00', '1.0.0', 'v1.0', '-1.0', '1.0 ', '10000.0', '1.10000', ''])(
    'are not "%s"',
    (text) => {
      expect(SCHEMA_VERSION.test(text)).toBe(false);
    },
  );
});

describe('names of event types', () => {
  it.each(['order.created', 'a', 'a1.b_2.c'])('may be the action %s', (text) =>
    expect(ACTION_NAME.test(text)).toBe(true),
  );
  it.each([
    'Order',
    'order.',
    '.order',
    'order..created',
    'order created',
    '1order',
    'order.*',
    '',
    `a${'b'.repeat(96)}`,
  ])('may not be the action "%s"', (text) => expect(ACTION_NAME.test(text)).toBe(false));
  it.each(['scm', 'a_1'])('may be the service %s', (text) => expect(SERVICE_NAME.test(text)).toBe(true));
  it.each(['SCM', 's.m', '', '1scm', `a${'b'.repeat(32)}`, 'scm\n'])('may not be the service %j', (text) =>
    expect(SERVICE_NAME.test(text)).toBe(false),
  );
});

describe('validation levels', () => {
  it('go from off over warn to enforce', () => {
    expect(isWeaker('off', 'warn') && isWeaker('warn', 'enforce')).toBe(true);
    for (const level of VALIDATION_LEVELS)
      expect([isWeaker(level, level), isWeaker('enforce', level)]).toEqual([false, false]);
  });
});

import { validateSync } from 'class-validator';
import { OpenObject, Part, Parts, Text } from './fields.js';
import { toShape } from './shape.js';

class Line {
  @Text({ max: 8 }) sku!: string;
}

abstract class Base {
  @Text({ max: 8, optional: true }) note?: string;
}

class Order extends Base {
  @Text({ max: 8 }) id!: string;
  @Part(() => Line, { optional: true }) first?: Line;
  @Parts(() => Line, { optional: true }) lines?: Line[];
  @OpenObject({ optional: true }) extra?: Record<string, unknown>;
}

describe('toShape', () => {
  it('takes the declared fields, also of what the class extends, and leaves out the rest', () => {
    expect({ ...toShape(Order, { id: 'a', note: 'n', other: 1 }) }).toEqual({ id: 'a', note: 'n' });
  });

  it('makes parts instances of their classes, so that their checks run', () => {
    const order = toShape(Order, { id: 'a', first: { sku: 'x', more: 1 }, lines: [{ sku: 'y' }, { sku: 5 }] });
    expect(order.first).toBeInstanceOf(Line);
    expect(order.first).toEqual({ sku: 'x' });
    expect(order.lines?.[1]).toBeInstanceOf(Line);
    expect(validateSync(order)[0]?.property).toBe('lines');
  });

  it('leaves to the checks what is no object where a part should be', () => {
    const order = toShape(Order, { id: 'a', lines: [7, 'x', null] });
    expect(order.lines).toEqual([7, 'x', null]);
    expect(validateSync(order).map(({ property }) => property)).toEqual(['lines']);
  });

  it('takes null for absent only where a field is optional', () => {
    expect({ ...toShape(Order, { id: null, note: null }) }).toEqual({ id: null });
  });

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
    'is not led astray by a property named %s',
    (name) => {
      const body = JSON.parse(`{"${name}": {"type": "string"}, "id": 5}`) as Record<string, unknown>;
      const order = toShape(Order, body);
      expect(order.constructor).toBe(Order);
      expect(validateSync(order).map(({ property }) => property)).toEqual(['id']);
    },
  );

  it('gives open objects back as they came, the very same', () => {
    const extra = JSON.parse('{"constructor": {"a": 1}, "b": [{"constructor": 2}]}') as Record<string, unknown>;
    expect(toShape(Order, { id: 'a', extra }).extra).toBe(extra);
  });

  it('lets no list hide in a list of parts', () => {
    const order = toShape(Order, { id: 'a', lines: [[{ sku: 'x' }]] });
    expect(validateSync(order).map(({ property }) => property)).toEqual(['lines']);
  });
});

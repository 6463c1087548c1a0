import { StatementNames } from './statement-names.js';

describe('names of statements', () => {
  it('are the same for the same text, and differ for different ones', () => {
    const names = new StatementNames();
    const first = names.of('select 1');
    expect(first).toEqual(expect.any(String));
    expect(names.of('select 2')).not.toBe(first);
    expect(names.of('select 1')).toBe(first);
  });

  it('end somewhere; those that were given stay', () => {
    const names = new StatementNames();
    const given = Array.from({ length: 2_000 }, (_, i) => names.of(`select ${i}`));
    expect(given.filter((name) => name !== undefined)).toHaveLength(1_000);
    expect(names.of('select 0')).toBe(given[0]);
    expect(names.of('select 1999')).toBeUndefined();
  });
});

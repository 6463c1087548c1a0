import { Registry } from 'prom-client';
import { FigureGauges } from './figure-gauges.js';
import { log } from './logger.js';

describe('gauges over one question', () => {
  let registry: Registry;
  let asked: number;
  let answer: () => Promise<{ due: number; old: number }>;

  beforeAll(() => (log.level = 'silent'));
  beforeEach(() => {
    [registry, asked] = [new Registry(), 0];
    answer = () => Promise.resolve({ due: 7, old: 3 });
    const ask = (): Promise<{ due: number; old: number }> => {
      asked += 1;
      return answer();
    };
    new FigureGauges(registry, 'what waits', ask)
      .show('due', 'what is due', ({ due }) => due)
      .showEach('by_kind', 'of each kind', 'kind', ({ due, old }) => ({ due, old }));
  });
  const lines = async (): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

  it('asks once for all of them, and not again for a while', async () => {
    expect(await lines()).toEqual(['due 7', 'by_kind{kind="due"} 7', 'by_kind{kind="old"} 3']);
    await lines();
    expect(asked).toBe(1);
  });

  it('leaves out what could not be answered, keeps nothing old, and asks again', async () => {
    answer = () => Promise.reject(new Error('the database is away'));
    expect(await lines()).toEqual([]);
    answer = () => Promise.resolve({ due: 1, old: 0 });
    expect(await lines()).toEqual(['due 1', 'by_kind{kind="due"} 1', 'by_kind{kind="old"} 0']);
    expect(asked).toBe(2);
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { Turns } from './turns.js';

describe('turns', () => {
  it('come one after the other for one thing, also after one that failed, and beside each other for two', async () => {
    const turns = new Turns();
    const steps: string[] = [];
    const work =
      (name: string, fails = false) =>
      async (): Promise<string> => {
        steps.push(`${name} begins`);
        await sleep(5);
        steps.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      };
    const outcomes = await Promise.allSettled([
      turns.take('a', work('first', true)),
      turns.take('a', work('second')),
      turns.take('b', work('other')),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(steps.slice(0, 2)).toEqual(['first begins', 'other begins']);
    expect(steps.indexOf('second begins')).toBeGreaterThan(steps.indexOf('first ends'));
    await sleep(0);
    expect(turns.size).toBe(0);
  });
});

import { DueLanes } from './due-lanes.service.js';

describe('which lanes are believed to have something due', () => {
  let due: DueLanes;
  let rung: number;
  beforeEach(() => {
    jest.useFakeTimers({ now: 1_000_000 });
    due = new DueLanes();
    rung = 0;
    due.onDue = () => (rung += 1);
  });
  afterEach(() => jest.useRealTimers());
  const taken = (atMost = 10): bigint[] => due.take(atMost).map(({ lane }) => lane);

  it('is at once those that are noted without a time, each once, in turn', () => {
    for (const lane of [3n, 1n, 3n, 2n]) due.note(lane, 'org');
    expect([due.isEmpty, due.has(1n), due.has(4n), rung]).toEqual([false, true, false, 4]);
    expect(due.take(2)).toEqual([
      { lane: 3n, orgcode: 'org' },
      { lane: 1n, orgcode: 'org' },
    ]);
    due.note(3n, 'org'); // has more, and comes behind the others
    expect(taken()).toEqual([2n, 3n]);
    expect([due.isEmpty, taken()]).toEqual([true, []]);
  });

  it('is a lane with a time when that has come, and rings then', () => {
    due.note(1n, 'org', performance.now() + 100);
    due.note(2n, 'org', performance.now() + 300);
    due.tick();
    expect([taken(), rung]).toEqual([[], 0]);
    jest.advanceTimersByTime(100);
    due.tick();
    expect([taken(), rung]).toEqual([[1n], 1]);
    jest.advanceTimersByTime(200);
    due.tick();
    expect([taken(), rung]).toEqual([[2n], 2]);
  });

  it('keeps the earliest of several times', () => {
    due.note(1n, 'org', performance.now() + 500);
    due.note(1n, 'org', performance.now() + 100);
    due.note(1n, 'org', performance.now() + 900);
    jest.advanceTimersByTime(100);
    due.tick();
    expect(taken()).toEqual([1n]);
  });

  it('rings again at each tick while something is left', () => {
    due.note(1n, 'org');
    due.tick();
    due.tick();
    expect(rung).toBe(3);
  });

  it('has an end: of times for 50,000 lanes those beyond are left to the sweep', () => {
    for (let lane = 0n; lane < 50_002n; lane += 1n) due.note(lane, 'org', performance.now() + 100);
    due.note(1n, 'org', performance.now() + 50);
    jest.advanceTimersByTime(100);
    due.tick();
    expect(taken(100_000)).toHaveLength(50_000);
  });
});

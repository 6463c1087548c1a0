import { LaneHealth } from './lane-health.service.js';
import type { LaneState } from './lane-health.repository.js';

const LANE = 7n;
/** By a database whose clock has little to do with ours. */
const FAILED_AT = new Date('2001-01-01T00:00:00Z');
const TARGET = { orgcode: 'acme', lane: LANE, activation: 1 };

describe('how a lane that fails is left alone', () => {
  const judged: LaneState[] = [];

  const holdAfter = async (failures: number, failingMs: number): Promise<number | undefined> => {
    const notedAt = new Date(FAILED_AT.getTime() + failingMs);
    const state = { lane: LANE, before: 0, failures, failingSince: FAILED_AT, notedAt };
    const repository = { note: () => Promise.resolve([state]), hold: () => Promise.resolve() };
    const autoPause = { judge: (_target: unknown, run: LaneState) => Promise.resolve(void judged.push(run)) };
    const health = new LaneHealth(repository as never, { byLane: () => TARGET } as never, autoPause as never);
    const verdict = { kind: 'retry', errorTag: 'http_503', afterMs: 1 } as never;
    health.note({ lane: LANE, replayNo: 0 } as never, TARGET as never, verdict, 503);
    const [hold] = await health.flush();
    return hold?.forMs;
  };

  it('goes by the time of the database, and not by ours or by how many failed', async () => {
    expect(await holdAfter(4, 0)).toBeUndefined();
    const pauses = [await holdAfter(64, 200), await holdAfter(64, 20_000), await holdAfter(5, 3_600_000)];
    const [first, later, longest] = pauses.map((pause) => Math.round((pause ?? 0) / 1_000));
    expect(first).toBeGreaterThanOrEqual(4);
    expect(first).toBeLessThanOrEqual(6);
    expect(later).toBeGreaterThanOrEqual(16);
    expect(later).toBeLessThanOrEqual(24);
    expect(longest).toBeGreaterThanOrEqual(48);
    expect(longest).toBeLessThanOrEqual(72);
    expect(judged.at(-1)).toMatchObject({ failingSince: FAILED_AT, notedAt: new Date('2001-01-01T01:00:00Z') });
  });
});

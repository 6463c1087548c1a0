import { sabotageDeliveries } from './support/delivery-sabotage.js';
import { DeliveryStage } from './support/delivery-stage.js';
import { frozenLine } from './support/frozen-line.js';
import { expectNothingWrong, tell } from './support/trial.js';

jest.setTimeout(10 * 60_000);

const LONG = { events: 500, forMs: 40_000, rounds: 2, patienceMs: 20_000 };

describe('F7: the line of a worker to Postgres freezes for 40 s, without a word', () => {
  let stage: DeliveryStage;
  beforeEach(async () => (stage = await DeliveryStage.open()));
  afterEach(() => stage.close());

  it('costs nothing but time: others send what it had, and it works on when the line is back', async () => {
    const outcome = await frozenLine(stage, LONG);
    tell('F7', outcome);
    expectNothingWrong(outcome);
    expect(outcome.figures.lostWith).toBeGreaterThan(0);
    expect(outcome.figures.slowestMs).toBeLessThan(5_000);
  });

  it('sabotaged, whoever has a result writes it: turns red', async () => {
    await sabotageDeliveries(stage.database, 'withoutFence');
    const outcome = await frozenLine(stage, { ...LONG, forMs: 8_000, rounds: 1 });
    tell('F7 sabotaged', outcome);
    expect(outcome.complaints).toContainEqual(expect.stringMatching(/^ended: /));
  });
});

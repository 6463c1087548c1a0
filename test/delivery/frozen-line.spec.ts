import { DeliveryStage } from '../faults/support/delivery-stage.js';
import { frozenLine } from '../faults/support/frozen-line.js';
import { expectNothingWrong } from '../faults/support/trial.js';

jest.setTimeout(60_000);

/** F7 in short; the long form, and the sabotage, are in test/faults. */
describe('a worker whose line to Postgres freezes for longer than its lease', () => {
  let stage: DeliveryStage;
  beforeEach(async () => (stage = await DeliveryStage.open()));
  afterEach(() => stage.close());

  it('comes too late with what it has to say, and works on when the line is back', async () => {
    const outcome = await frozenLine(stage, { events: 200, forMs: 7_500, rounds: 1, patienceMs: 16_000 });
    expectNothingWrong(outcome);
    expect(outcome.figures.lostWith).toBeGreaterThan(0);
    expect(outcome.figures.slowestMs).toBeLessThan(5_000);
  });
});

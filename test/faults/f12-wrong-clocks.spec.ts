import { DeliveryStage, WITH_TIME } from './support/delivery-stage.js';
import { expectNothingWrong, tell } from './support/trial.js';
import { wrongClocks } from './support/wrong-clocks.js';

jest.setTimeout(5 * 60_000);

describe('F12: the clocks of workers are an hour off, in both directions', () => {
  let stage: DeliveryStage;
  beforeEach(async () => (stage = await DeliveryStage.open(WITH_TIME)));
  afterEach(() => stage.close());

  it('nothing is early, late, or sent by two of them', async () => {
    const outcome = await wrongClocks(stage, ['an-hour-ahead', 'an-hour-behind'], 4_000);
    tell('F12', outcome);
    expectNothingWrong(outcome);
    expect(outcome.figures).toMatchObject({ dead: 0, lostWith: 0 });
  });

  it('sabotaged, one of them judges leases by its own: turns red', async () => {
    const outcome = await wrongClocks(stage, ['an-hour-behind', 'trusts-its-clock'], 1_000);
    tell('F12 sabotaged', outcome);
    expect(outcome.complaints).toContainEqual(expect.stringMatching(/^extra: /));
  });
});

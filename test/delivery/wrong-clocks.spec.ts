import { DeliveryStage, WITH_TIME } from '../faults/support/delivery-stage.js';
import { expectNothingWrong } from '../faults/support/trial.js';
import { wrongClocks } from '../faults/support/wrong-clocks.js';

jest.setTimeout(120_000);

/** F12 in short; the long form is in test/faults. */
describe('workers whose clocks are an hour off', () => {
  let stage: DeliveryStage;
  beforeEach(async () => (stage = await DeliveryStage.open(WITH_TIME)));
  afterEach(() => stage.close());

  it('lease, try again and end as others do', async () => {
    const outcome = await wrongClocks(stage, ['an-hour-ahead', 'an-hour-behind'], 120);
    expectNothingWrong(outcome);
    expect(outcome.figures).toMatchObject({ dead: 0, lostWith: 0 });
    expect(outcome.figures.attempts).toBeGreaterThan(0);
  });

  it('sabotaged, one of them judges leases by its own: turns red', async () => {
    const { complaints } = await wrongClocks(stage, ['an-hour-behind', 'trusts-its-clock'], 120);
    expect(complaints).toContainEqual(expect.stringMatching(/^extra: /));
  });
});

import { DeliveryStage } from '../faults/support/delivery-stage.js';
import { poison } from '../faults/support/poison.js';
import { expectNothingWrong } from '../faults/support/trial.js';

jest.setTimeout(90_000);

/** F19 in short; the long form is in test/faults. */
describe('a delivery that takes its worker with it whenever it is sent', () => {
  let stage: DeliveryStage;
  beforeEach(async () => (stage = await DeliveryStage.open()));
  afterEach(() => stage.close());

  it('is dead after five workers, and its neighbours arrive', async () => {
    const outcome = await poison(stage, { events: 100, isQuick: true, endsWithinMs: 15_000 });
    expectNothingWrong(outcome);
    expect(outcome.figures).toMatchObject({ deaths: 5, dead: 1 });
    const rows = await stage.database.asOwner(`select reason, lost_with from delivery where status = 'dead'`);
    expect(rows).toEqual([{ reason: 'workers_lost', lost_with: 5 }]);
  });
});

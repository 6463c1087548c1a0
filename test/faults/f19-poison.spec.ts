import { sabotageDeliveries } from './support/delivery-sabotage.js';
import { DeliveryStage } from './support/delivery-stage.js';
import { poison } from './support/poison.js';
import { expectNothingWrong, tell } from './support/trial.js';

jest.setTimeout(5 * 60_000);

describe('F19: a delivery takes its worker with it whenever it is sent', () => {
  let stage: DeliveryStage;
  beforeEach(async () => (stage = await DeliveryStage.open()));
  afterEach(() => stage.close());

  it('is dead after five workers, and its neighbours arrive', async () => {
    const outcome = await poison(stage, { events: 2_000, isQuick: false, endsWithinMs: 120_000 });
    tell('F19', outcome);
    expectNothingWrong(outcome);
    expect(outcome.figures).toMatchObject({ deaths: 5, dead: 1 });
  });

  it('sabotaged, nobody counts the workers it took: turns red', async () => {
    await sabotageDeliveries(stage.database, 'withoutCount');
    const outcome = await poison(stage, { events: 100, isQuick: true, endsWithinMs: 10_000 });
    tell('F19 sabotaged', outcome);
    expect(outcome.figures.deaths).toBeGreaterThan(5);
    expect(outcome.complaints).toContainEqual(expect.stringMatching(/^stuck: /));
  });
});

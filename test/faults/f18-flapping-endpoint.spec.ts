import { sabotageDeliveries } from './support/delivery-sabotage.js';
import { DeliveryStage } from './support/delivery-stage.js';
import { EASILY_PAUSED, flappingEndpoint, lateFailures } from './support/flapping-endpoint.js';
import { expectNothingWrong, tell } from './support/trial.js';
import { changed } from './support/worker-change.js';

jest.setTimeout(5 * 60_000);

describe('F18: an endpoint fails and comes back around the threshold of pausing, while its owner sets its status', () => {
  let stage: DeliveryStage;
  beforeEach(async () => (stage = await DeliveryStage.open(EASILY_PAUSED)));
  afterEach(() => stage.close());

  it('is paused once an activation, with one audit row each, and gets its backlog', async () => {
    const outcome = await flappingEndpoint(stage, { rounds: 20, roundMs: 2_000, endsWithinMs: 30_000 });
    tell('F18', outcome);
    expectNothingWrong(outcome);
    expect(outcome.figures.pausedByItself).toBeGreaterThan(3);
  });

  it('sabotaged, nobody asks in which activation calls failed: turns red', async () => {
    await sabotageDeliveries(stage.database, 'withoutActivation');
    const outcome = await lateFailures(stage, 1_000, changed('forgets-activations'));
    tell('F18 sabotaged', outcome);
    expect(outcome.figures.isPausedAgain).toBe(1);
  });
});

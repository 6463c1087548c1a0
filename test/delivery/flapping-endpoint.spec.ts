import { sabotageDeliveries } from '../faults/support/delivery-sabotage.js';
import { DeliveryStage } from '../faults/support/delivery-stage.js';
import { EASILY_PAUSED, flappingEndpoint, lateFailures } from '../faults/support/flapping-endpoint.js';
import { expectNothingWrong } from '../faults/support/trial.js';
import { changed } from '../faults/support/worker-change.js';

jest.setTimeout(60_000);

/** F18 in short; the long form is in test/faults. */
describe('an endpoint that fails and comes back around the threshold of pausing', () => {
  let stage: DeliveryStage;
  beforeEach(async () => (stage = await DeliveryStage.open(EASILY_PAUSED)));
  afterEach(() => stage.close());

  it('is paused once an activation, with one audit row each, whatever its owner does, and gets its backlog', async () => {
    const outcome = await flappingEndpoint(stage, { rounds: 2, roundMs: 1_200, endsWithinMs: 10_000 });
    expectNothingWrong(outcome);
    expect(outcome.figures.pausedByItself).toBeGreaterThan(0);
  });

  it('is not paused for what failed in an earlier activation', async () => {
    const outcome = await lateFailures(stage, 10_000);
    expectNothingWrong(outcome);
    expect(outcome.figures).toMatchObject({ pausedByItself: 1, isPausedAgain: 0 });
  });

  it('sabotaged, nobody asks in which activation calls failed: turns red', async () => {
    await sabotageDeliveries(stage.database, 'withoutActivation');
    const { figures } = await lateFailures(stage, 1_000, changed('forgets-activations'));
    expect(figures.isPausedAgain).toBe(1);
  });
});

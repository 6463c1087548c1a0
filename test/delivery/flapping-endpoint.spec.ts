import { DeliveryStage } from '../faults/support/delivery-stage.js';
import { EASILY_PAUSED, flappingEndpoint, lateFailures } from '../faults/support/flapping-endpoint.js';
import { expectNothingWrong } from '../faults/support/trial.js';

jest.setTimeout(60_000);

/** F18 in short; the long form, and the sabotage, which shows itself only when calls end late enough, are in test/faults. */
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
});

import { sabotageDeliveries } from './support/delivery-sabotage.js';
import { DeliveryStage } from './support/delivery-stage.js';
import { lostWorkers } from './support/lost-workers.js';
import { expectNothingWrong, tell } from './support/trial.js';

jest.setTimeout(10 * 60_000);

const LONG = {
  workers: 3,
  kills: 24,
  betweenMs: [500, 2_000],
  pauseMs: 100,
  replaces: true,
  endsWithinMs: 120_000,
} as const;

describe('F1: workers are killed with -9 again and again while they send', () => {
  let stage: DeliveryStage;
  beforeEach(async () => (stage = await DeliveryStage.open()));
  afterEach(() => stage.close());

  it('loses nothing, alters nothing, and sends once more what the killed ones had on their way', async () => {
    const outcome = await lostWorkers(stage, LONG);
    tell('F1', outcome);
    expectNothingWrong(outcome);
    expect(outcome.figures.lostWith).toBeGreaterThan(0);
  });

  it('sabotaged, nobody looks for what they had: turns red', async () => {
    await sabotageDeliveries(stage.database, 'withoutRecovery');
    const outcome = await lostWorkers(stage, { ...LONG, kills: 4, endsWithinMs: 15_000 });
    tell('F1 sabotaged', outcome);
    expect(outcome.complaints).toContainEqual(expect.stringMatching(/^stuck: /));
  });
});

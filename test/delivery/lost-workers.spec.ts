import { sabotageDeliveries } from '../faults/support/delivery-sabotage.js';
import { DeliveryStage } from '../faults/support/delivery-stage.js';
import { lostWorkers } from '../faults/support/lost-workers.js';
import { expectNothingWrong } from '../faults/support/trial.js';

jest.setTimeout(60_000);

const SHORT = { kills: 1, betweenMs: [700, 900], pauseMs: 150, replaces: false, endsWithinMs: 12_000 } as const;

/** F1 in short; the long form is in test/faults. */
describe('workers that are killed with -9 while they send', () => {
  let stage: DeliveryStage;
  beforeEach(async () => (stage = await DeliveryStage.open()));
  afterEach(() => stage.close());

  it('leave nothing behind that others do not send', async () => {
    const outcome = await lostWorkers(stage, { ...SHORT, workers: 3, kills: 2 });
    expectNothingWrong(outcome);
    expect(outcome.figures.lostWith).toBeGreaterThan(0);
  });

  it('sabotaged, nobody looks for what they had: turns red', async () => {
    await sabotageDeliveries(stage.database, 'withoutRecovery');
    const { complaints } = await lostWorkers(stage, { ...SHORT, workers: 2, endsWithinMs: 6_500 });
    expect(complaints).toContainEqual(expect.stringMatching(/^stuck: /));
  });
});

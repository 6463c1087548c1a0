import { sabotageDeliveries } from '../faults/support/delivery-sabotage.js';
import { DeliveryStage } from '../faults/support/delivery-stage.js';
import { stoppedWorker } from '../faults/support/stopped-worker.js';
import { expectNothingWrong } from '../faults/support/trial.js';

jest.setTimeout(60_000);

const SHORT = { events: 150, beyondLeaseMs: 2_500, rounds: 1 };

/** F11 in short; the long form is in test/faults. */
describe('a worker that stands still for longer than its lease, and goes on', () => {
  let stage: DeliveryStage;
  beforeEach(async () => (stage = await DeliveryStage.open()));
  afterEach(() => stage.close());

  it('comes too late: what others have sent meanwhile has one end, and each was sent twice at most', async () => {
    const outcome = await stoppedWorker(stage, SHORT);
    expectNothingWrong(outcome);
    expect(outcome.figures.held).toBeGreaterThan(0);
    expect(outcome.figures.mostExtra).toBeLessThanOrEqual(1);
    expect(outcome.figures.lostWith).toBeGreaterThan(0);
  });

  it('sabotaged, whoever has a result writes it: turns red', async () => {
    await sabotageDeliveries(stage.database, 'withoutFence');
    const { complaints } = await stoppedWorker(stage, SHORT);
    expect(complaints).toContainEqual(expect.stringMatching(/^ended: \d+ deliveries were changed after their end/));
  });
});

import { sabotageDeliveries } from './support/delivery-sabotage.js';
import { DeliveryStage } from './support/delivery-stage.js';
import { stoppedWorker } from './support/stopped-worker.js';
import { expectNothingWrong, tell } from './support/trial.js';

jest.setTimeout(5 * 60_000);

const LONG = { events: 600, beyondLeaseMs: 10_000, rounds: 5 };

describe('F11: a worker stands still (SIGSTOP) for its lease and ten seconds more, and goes on, again and again', () => {
  let stage: DeliveryStage;
  beforeEach(async () => (stage = await DeliveryStage.open()));
  afterEach(() => stage.close());

  it('changes nothing of what others have ended, and nothing was sent more than once more', async () => {
    const outcome = await stoppedWorker(stage, LONG);
    tell('F11', outcome);
    expectNothingWrong(outcome);
    expect(outcome.figures.mostExtra).toBeLessThanOrEqual(LONG.rounds);
    expect(outcome.figures.lostWith).toBeGreaterThan(0);
  });

  it('sabotaged, whoever has a result writes it: turns red', async () => {
    await sabotageDeliveries(stage.database, 'withoutFence');
    const outcome = await stoppedWorker(stage, { ...LONG, rounds: 1 });
    tell('F11 sabotaged', outcome);
    expect(outcome.complaints).toContainEqual(expect.stringMatching(/^ended: /));
  });
});

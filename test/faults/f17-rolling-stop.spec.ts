import { DeliveryStage } from './support/delivery-stage.js';
import { rollingStop } from './support/rolling-stop.js';
import { expectNothingWrong, tell } from './support/trial.js';
import { changed } from './support/worker-change.js';

jest.setTimeout(5 * 60_000);

const LONG = { stops: 12, betweenMs: 3_000, pauseMs: 50, answersMs: [50, 400], endsWithinMs: 30_000 } as const;
/** Longer than a worker takes to leave, and less than the 1.75 s that calls get by a lease of 5 s. */
const SLOW_ANSWERS = [1_000, 1_400] as const;

describe('F17: workers are told to stop (SIGTERM) under load, one after the other, and replaced', () => {
  let stage: DeliveryStage;
  beforeEach(async () => (stage = await DeliveryStage.open()));
  afterEach(() => stage.close());

  it('sends nothing twice, and nothing waits for a lease', async () => {
    const outcome = await rollingStop(stage, LONG);
    tell('F17', outcome);
    expectNothingWrong(outcome);
    expect(outcome.figures).toMatchObject({ extra: 0, lostWith: 0, unclean: 0 });
    expect(outcome.figures.slowestStopMs).toBeLessThan(10_000);
  });

  it('sabotaged, they leave at once: turns red', async () => {
    const outcome = await rollingStop(
      stage,
      { ...LONG, stops: 2, answersMs: SLOW_ANSWERS },
      {
        ...changed('leaves-at-once'),
        DELIVERY_LEASE_SECONDS: '5',
      },
    );
    tell('F17 sabotaged', outcome);
    expect(outcome.complaints).toContainEqual(expect.stringMatching(/^extra: /));
  });

  it('sabotaged, they give nothing back: turns red', async () => {
    const slow = { ...LONG, stops: 2, answersMs: SLOW_ANSWERS }; // so that there is something to keep
    const outcome = await rollingStop(stage, slow, changed('keeps-what-it-has'));
    tell('F17 sabotaged otherwise', outcome);
    expect(outcome.figures.lostWith).toBeGreaterThan(0); // it waited for the lease, and arrived
  });
});

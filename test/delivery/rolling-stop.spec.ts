import { DeliveryStage } from '../faults/support/delivery-stage.js';
import { rollingStop } from '../faults/support/rolling-stop.js';
import { expectNothingWrong } from '../faults/support/trial.js';
import { changed } from '../faults/support/worker-change.js';

jest.setTimeout(60_000);

const SHORT = { stops: 2, betweenMs: 300, pauseMs: 100, answersMs: [50, 400], endsWithinMs: 9_000 } as const;
/** Longer than a worker takes to leave, and less than the 1.75 s that calls get by a lease of 5 s. */
const SLOW_ANSWERS = [1_000, 1_400] as const;

/** F17 in short; the long form is in test/faults. */
describe('workers that are told to stop while they send', () => {
  let stage: DeliveryStage;
  beforeEach(async () => (stage = await DeliveryStage.open()));
  afterEach(() => stage.close());

  it('finish what is on its way and give back the rest: nothing arrives twice, and nothing waits for a lease', async () => {
    const outcome = await rollingStop(stage, SHORT);
    expectNothingWrong(outcome);
    expect(outcome.figures).toMatchObject({ extra: 0, lostWith: 0, unclean: 0 });
    expect(outcome.figures.slowestStopMs).toBeLessThan(10_000);
  });

  it('sabotaged, they leave at once: turns red', async () => {
    const { complaints } = await rollingStop(
      stage,
      { ...SHORT, stops: 1, answersMs: SLOW_ANSWERS, endsWithinMs: 20_000 },
      {
        ...changed('leaves-at-once'),
        DELIVERY_LEASE_SECONDS: '5',
      },
    );
    expect(complaints).toContainEqual(expect.stringMatching(/^extra: /));
  });
});

import { DeliveryStage } from '../faults/support/delivery-stage.js';
import { noisyNeighbour } from '../faults/support/noisy-neighbour.js';
import { changed } from '../faults/support/worker-change.js';

jest.setTimeout(60_000);

const SHORT = { events: 300, hanging: 10, waiting: 3_000, samples: 60 };
/** Of who shares the machine. */
const NOISE_MS = 250;

/** F9 in short; the long form is in test/faults. */
describe('an organisation whose neighbour has thousands of deliveries for endpoints that hang', () => {
  let stage: DeliveryStage;
  beforeEach(async () => (stage = await DeliveryStage.open()));
  afterEach(() => stage.close());

  it('gets its own as before', async () => {
    const { quietP95Ms, noisyP95Ms, waiting } = await noisyNeighbour(stage, SHORT);
    expect(waiting).toBeGreaterThanOrEqual(SHORT.waiting);
    expect(noisyP95Ms).toBeLessThan(2 * quietP95Ms + NOISE_MS);
  });

  it('sabotaged, whoever comes first may have all calls: turns red', async () => {
    const { quietP95Ms, noisyP95Ms } = await noisyNeighbour(stage, SHORT, changed('shares-nothing-out'));
    expect(noisyP95Ms).toBeGreaterThan(2 * quietP95Ms + NOISE_MS);
  });
});

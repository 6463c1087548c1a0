import { DeliveryStage } from './support/delivery-stage.js';
import { noisyNeighbour } from './support/noisy-neighbour.js';

jest.setTimeout(10 * 60_000);

const NOISE_MS = 250;

describe('F9: one organisation has 200,000 deliveries for endpoints that hang', () => {
  it('costs its neighbour next to nothing', async () => {
    const stage = await DeliveryStage.open();
    try {
      const { quietP95Ms, noisyP95Ms, waiting } = await noisyNeighbour(stage, {
        events: 10_000,
        hanging: 20,
        waiting: 100_000,
        samples: 500,
      });
      process.stderr.write(`  F9: ${waiting} wait; p95 ${quietP95Ms} ms before and ${noisyP95Ms} ms meanwhile\n`);
      expect(waiting).toBeGreaterThanOrEqual(100_000);
      expect(noisyP95Ms).toBeLessThan(2 * quietP95Ms + NOISE_MS);
    } finally {
      await stage.close();
    }
  });
});

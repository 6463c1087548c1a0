import { freePort } from '../../src/local/free-port.js';
import { absentRedis, brokenRedis } from '../faults/support/absent-redis.js';
import { DeliveryStage, WITH_TIME } from '../faults/support/delivery-stage.js';
import { OwnRedis } from '../faults/support/own-redis.js';
import { ServerFolder } from '../faults/support/own-postgres.js';
import { expectNothingWrong } from '../faults/support/trial.js';
import { changed } from '../faults/support/worker-change.js';

jest.setTimeout(60_000);

/** F4, F5 and F6 in short; the long forms are in test/faults. */
describe('deliveries without their doorbell', () => {
  let stage: DeliveryStage;
  afterEach(() => stage.close());

  it('go on without a Redis that was ever there, a second late at most; sabotaged, nobody looks: turns red', async () => {
    stage = await DeliveryStage.open({ ...WITH_TIME, REDIS_URL: `redis://127.0.0.1:${await freePort()}` });
    const blind = await stage.worker(changed('looks-nowhere'));
    await stage.publish(5);
    await stage.quiet(2_500);
    expect((await stage.outcome(0)).complaints).toContainEqual(expect.stringMatching(/^lost: /));
    await blind.stop('SIGKILL');
    await stage.worker();
    await stage.quiet(5_000);
    stage.forgetDelays();
    const outcome = await absentRedis(stage, 16);
    expectNothingWrong(outcome);
    expect(outcome.figures.medianMs).toBeGreaterThan(150);
  });

  it('go on while Redis is emptied, killed and back with nothing in it, and are told at once again', async () => {
    const place = new ServerFolder();
    try {
      const redis = await OwnRedis.start(place);
      stage = await DeliveryStage.open({ ...WITH_TIME, REDIS_URL: redis.url });
      await stage.worker();
      expectNothingWrong(await brokenRedis(stage, redis, 1));
      stage.forgetDelays();
      await stage.publish(1, () => ({ service: 'pos' }));
      await stage.quiet(5_000);
      expect((await stage.outcome(0)).figures.slowestMs).toBeLessThan(500);
    } finally {
      await place.clear();
    }
  });
});

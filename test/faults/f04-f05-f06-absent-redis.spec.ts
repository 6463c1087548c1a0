import { freePort } from '../../src/local/free-port.js';
import { absentRedis, brokenRedis } from './support/absent-redis.js';
import { DeliveryStage, WITH_TIME } from './support/delivery-stage.js';
import { OwnRedis } from './support/own-redis.js';
import { ServerFolder } from './support/own-postgres.js';
import { expectNothingWrong, tell } from './support/trial.js';
import { changed } from './support/worker-change.js';

jest.setTimeout(5 * 60_000);

describe('F4, F5, F6: Redis is emptied and killed under load and comes back empty; or is never there', () => {
  let stage: DeliveryStage;
  afterEach(() => stage.close());

  it('delivers everything while Redis comes and goes', async () => {
    const place = new ServerFolder();
    try {
      const redis = await OwnRedis.start(place);
      stage = await DeliveryStage.open({ ...WITH_TIME, REDIS_URL: redis.url });
      await Promise.all([stage.worker(), stage.worker()]);
      const outcome = await brokenRedis(stage, redis, 12);
      tell('F4 and F5', outcome);
      expectNothingWrong(outcome);
    } finally {
      await place.clear();
    }
  });

  it('delivers everything, a second late at most, where Redis never was', async () => {
    stage = await DeliveryStage.open({ ...WITH_TIME, REDIS_URL: `redis://127.0.0.1:${await freePort()}` });
    await Promise.all([stage.worker(), stage.worker()]);
    const outcome = await absentRedis(stage, 200);
    tell('F6', outcome);
    expectNothingWrong(outcome);
  });

  it('sabotaged, nobody looks by himself: turns red', async () => {
    stage = await DeliveryStage.open({ ...WITH_TIME, REDIS_URL: `redis://127.0.0.1:${await freePort()}` });
    await stage.worker(changed('looks-nowhere'));
    const outcome = await absentRedis(stage, 10);
    tell('F6 sabotaged', outcome);
    expect(outcome.complaints).toContainEqual(expect.stringMatching(/^lost: /));
  });
});

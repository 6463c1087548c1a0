import { lostAnswers } from '../faults/support/lost-answers.js';
import { expectNothingWrong, type Stage } from '../faults/support/trial.js';
import { TestApi, writeGrounds, type ApiAnswer } from '../support/api.js';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { anEventType } from '../support/event-types.js';
import { anEvent } from '../support/events.js';
import { TcpProxy } from '../support/tcp-proxy.js';

jest.setTimeout(60_000);

const LOSSES = 25;

/** F8 in short; the long form is in test/faults. */
describe('a commit whose answer is lost on the way from Postgres', () => {
  let database: TestDatabase;
  let line: TcpProxy;
  let api: TestApi;
  let orgcode: string;
  let key: string;
  beforeAll(async () => {
    database = await testDatabase();
    line = await TcpProxy.to(database.url);
    api = await TestApi.startOn({ ...database, url: line.urlOf(database.url) });
    ({ orgcode, key } = await api.anOwner());
  });
  afterAll(async () => {
    await api.app.close();
    await line.close();
    await database.drop();
  });

  const stage = async (): Promise<Stage> => ({ database, doors: [api], organisations: [await api.anOwner()] });
  const publish = (...events: object[]): Promise<ApiAnswer> => api.call('/event/publish', { events }, { orgcode, key });
  const outcomeOf = ({ status, body }: ApiAnswer): unknown => [status, body.error?.error_code, body.error?.retryable];
  const logged = (eventId: unknown): Promise<{ position: string }[]> =>
    database.asOwner('select position::text from event where orgcode = $1 and event_id = $2', [orgcode, eventId]);

  it('answers 503, and the same event again is a duplicate at the position that it got', async () => {
    const [event, neighbour] = [anEvent(), anEvent()];
    line.lose('ipm_append', 'answered');
    expect(outcomeOf(await publish(event, neighbour))).toEqual([503, 'database_unavailable', true]);
    const [row] = await logged(event.event_id);
    const again = await publish(event);
    expect(again.body.data.items).toEqual([expect.objectContaining({ status: 'duplicate', ...row })]);
    expect(await logged(event.event_id)).toEqual([row]);
  });

  it('is lost for every call that shared the commit, and each of them converges', async () => {
    const events = Array.from({ length: 12 }, () => anEvent());
    line.lose('ipm_append', 'answered', events.length);
    const first = await Promise.all(events.map((event) => publish(event)));
    expect(first.map(({ status }) => status)).toEqual(events.map(() => 503));
    line.lose('ipm_append', 'answered', 0);
    const again = await Promise.all(events.map((event) => publish(event)));
    expect(again.map(({ body }) => body.data.duplicate)).toEqual(events.map(() => 1));
  });

  it('of a write with an idempotency key: the same call again is answered what the first one did, and has no second effect', async () => {
    const event_type = anEventType();
    const register = (): Promise<ApiAnswer> =>
      api.call(
        '/event/catalog/register',
        { ...writeGrounds(orgcode), event_type, idempotency_key: 'once' },
        { orgcode, key },
      );
    expect((await publish(anEvent())).status).toBe(200); // so that nobody has to look up the key
    line.lose('COMMIT', 'answered', 5); // of transactions that go on beside ours, too
    expect(outcomeOf(await register())).toEqual([503, 'database_unavailable', true]);
    line.lose('COMMIT', 'answered', 0);
    const again = await register();
    expect([again.status, again.headers['idempotent-replayed']]).toEqual([200, 'true']);
    const told = await database.asOwner(
      `select 1 from event where orgcode = $1 and service = 'ipm' and envelope like '%' || $2 || '%'`,
      [orgcode, event_type.action],
    );
    expect(told).toHaveLength(1);
  });

  it('costs nothing and doubles nothing while many publish and lines break again and again', async () => {
    const outcome = await lostAnswers(await stage(), [line], LOSSES);
    expectNothingWrong(outcome);
    expect(outcome.figures.losses).toBeGreaterThanOrEqual(LOSSES);
    expect(outcome.figures.answersLost).toBeGreaterThan(0);
  });

  describe('sabotaged: clients say it again under another event_id', () => {
    it('turns red', async () => {
      const { complaints } = await lostAnswers(await stage(), [line], LOSSES, { forgetsEventIds: true });
      expect(complaints).toContainEqual(expect.stringMatching(/^twice: .* happened once and stands at \d+, \d+/));
    });
  });
});

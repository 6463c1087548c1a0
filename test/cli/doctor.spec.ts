import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { clockFinding } from '../../src/cli/doctor-finding.js';
import { spaceFinding } from '../../src/cli/doctor-store.js';
import { emptyDatabase, testDatabase, type TestDatabase } from '../support/database.js';
import { startS3Server } from '../support/s3-server/start.js';
import { ipmOn, runIpm } from './ipm.js';
import { pretendRedis } from './redis-server.js';

jest.setTimeout(60_000);

type Check = Record<'check' | 'verdict' | 'message' | 'next', string>;
interface Diagnosis {
  exitCode: number | null;
  healthy: boolean;
  /** Whatever is not ok. */
  wrong: Check[];
}

describe('ipm doctor', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await testDatabase();
    // The Postgres of the tests is not durable and of one version; a schema before pg_catalog lets it say otherwise.
    await database.asOwner(`
      create schema pretended;
      create table pretended.settings (name text primary key, value text);
      create function pretended.current_setting(text) returns text language sql as
        $$ select coalesce((select value from pretended.settings where name = $1), pg_catalog.current_setting($1)) $$;
      create function pretended.clock_timestamp() returns timestamptz language sql as
        $$ select pg_catalog.clock_timestamp() + coalesce((select value from pretended.settings where name = 'skew'), '0')::interval $$`);
  });
  beforeEach(async () => {
    await database.asOwner('delete from pretended.settings');
    await pretend({ fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' });
  });
  afterAll(() => database.drop());

  const pretend = async (settings: Record<string, string>): Promise<void> => {
    for (const [name, value] of Object.entries(settings)) {
      await database.asOwner(
        'insert into pretended.settings values ($1, $2) on conflict (name) do update set value = excluded.value',
        [name, value],
      );
    }
  };
  const searchPath = `options=${encodeURIComponent('-c search_path=pretended,pg_catalog,public')}`;
  const diagnose = async (overrides: Record<string, string | undefined> = {}): Promise<Diagnosis> => {
    const { exitCode, stderr, document } = await ipmOn(`${database.url}?${searchPath}`, overrides)('doctor', '--json');
    expect(stderr).toBe('');
    const wrong = document.checks.filter(({ verdict }: Check) => verdict !== 'ok');
    for (const { next } of wrong) expect(next).toMatch(/\w+/);
    return { exitCode, healthy: document.healthy, wrong };
  };
  const red = (check: string, message: string): object => ({
    exitCode: 1,
    healthy: false,
    wrong: [expect.objectContaining({ check, verdict: 'failed', message: expect.stringContaining(message) })],
  });

  it('finds nothing wrong with what is sound, and examines everything', async () => {
    const ipm = ipmOn(`${database.url}?${searchPath}`);
    const { exitCode, stdout } = await ipm('doctor');
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining('Nothing failed.') });
    const { checks } = (await ipm('doctor', '--json')).document;
    expect(checks.map(({ check, verdict }: Check) => `${check} ${verdict}`)).toEqual([
      ...[
        'configuration ok',
        'Postgres ok',
        'durability ok',
        'migrations ok',
        'tenant wall ok',
        'clock of Postgres ok',
      ],
      ...['Redis ok', 'Redis memory ok', 'clock of Redis ok', 'object store ok', 'disk space ok'],
      ...['routing ok', 'deliveries ok', 'operation runs ok', 'event log ok'],
    ]);
  });

  it.each(['fsync', 'synchronous_commit', 'full_page_writes'])('is red for %s off', async (setting) => {
    await pretend({ [setting]: 'off' });
    expect(await diagnose()).toEqual(red('durability', `${setting} off`));
  });

  it('is red for a Postgres that is too old', async () => {
    await pretend({ server_version: '14.20', server_version_num: '140020' });
    expect(await diagnose()).toEqual(red('Postgres', '14.20 at'));
  });

  it.each([
    ['61 seconds', 'failed', 1],
    ['-61 seconds', 'failed', 1],
    ['10 seconds', 'warning', 0],
  ])('tells a clock of Postgres that is %s off: %s', async (skew, verdict, exitCode) => {
    await pretend({ skew });
    expect(await diagnose()).toMatchObject({ exitCode, wrong: [{ check: 'clock of Postgres', verdict }] });
  });

  it('is red for holes in the tenant wall', async () => {
    await database.asOwner('alter table api_key disable row level security');
    const repair = (): Promise<unknown> => database.asOwner('alter table api_key enable row level security');
    const diagnosis = await diagnose().finally(repair);
    expect(diagnosis).toEqual(red('tenant wall', 'table api_key is open'));
  });

  it('is red for migrations that are pending', async () => {
    const empty = await emptyDatabase();
    const { exitCode, document } = await ipmOn(empty.url)('doctor', '--json').finally(empty.drop);
    expect(exitCode).toBe(1);
    expect(document.checks).toContainEqual(
      expect.objectContaining({ check: 'migrations', verdict: 'failed', next: 'run ipm migrate' }),
    );
  });

  it('goes on without Postgres, and says which one is away or refuses us', async () => {
    const away = new URL(database.url);
    away.port = '1';
    const wrong = new URL(database.url);
    wrong.password = 'a-wrong-one';
    expect(await diagnose({ DATABASE_URL: away.toString() })).toEqual(red('Postgres', 'ECONNREFUSED'));
    const refused = await diagnose({ DATABASE_URL: wrong.toString() });
    expect(refused).toEqual(red('Postgres', 'password authentication failed'));
    expect(JSON.stringify(refused)).not.toContain('a-wrong-one');
  });

  it('goes on without Redis', async () => {
    expect(await diagnose({ REDIS_URL: 'redis://127.0.0.1:1' })).toEqual(red('Redis', 'ECONNREFUSED'));
  });

  it.each([
    [{ version: '6.0.16' }, 'Redis', 'failed', 1],
    [{ policy: 'allkeys-lru' }, 'Redis memory', 'failed', 1],
    [{ skewSeconds: 61 }, 'clock of Redis', 'failed', 1],
    [{ skewSeconds: -10 }, 'clock of Redis', 'warning', 0],
  ])('tells a Redis with %j', async (traits, check, verdict, exitCode) => {
    const redis = await pretendRedis(traits);
    const diagnosis = await diagnose({ REDIS_URL: redis.url }).finally(redis.stop);
    expect(diagnosis).toMatchObject({ exitCode, wrong: [{ check, verdict }] });
  });

  it('is red for a folder that keeps nothing', async () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'ipm-doctor-')), 'a-file');
    writeFileSync(file, '');
    expect(await diagnose({ IPM_DATA_DIR: file })).toEqual(red('object store', file));
  });

  it('examines an S3 store, and is red for one that refuses us', async () => {
    const { endpoint, region, bucket, accessKeyId, secretAccessKey, stop } = await startS3Server();
    const settings = {
      S3_ENDPOINT: endpoint,
      S3_REGION: region,
      S3_BUCKET: bucket,
      S3_ACCESS_KEY_ID: accessKeyId,
      S3_SECRET_ACCESS_KEY: secretAccessKey,
    };
    const diagnoses = Promise.all([diagnose(settings), diagnose({ ...settings, S3_SECRET_ACCESS_KEY: 'another' })]);
    const [sound, refused] = await diagnoses.finally(stop);
    expect(sound).toMatchObject({ exitCode: 0, wrong: [] });
    expect(refused).toEqual(red('object store', `bucket ${bucket}`));
  });

  it('lists every problem of the configuration, and still examines the stores that it names', async () => {
    const { exitCode, wrong } = await diagnose({ PORT: 'abc', IPM_SECRET: 'short', REDIS_URL: undefined });
    expect(exitCode).toBe(1);
    expect(wrong.map(({ check, message }) => `${check}: ${message.split(' ')[0]}`).sort()).toEqual([
      'configuration: IPM_SECRET',
      'configuration: PORT',
      'configuration: REDIS_URL',
    ]);
  });

  it('says how to get something to connect to', async () => {
    const { exitCode, document } = await runIpm({ IPM_DATA_DIR: '/nowhere' }, 'doctor', '--json');
    expect(exitCode).toBe(1);
    expect(document.checks[0]).toMatchObject({ check: 'connection', message: expect.stringContaining('npm start') });
  });
});

describe('what the doctor makes of figures', () => {
  it.each([
    [1_900, 'ok'],
    [2_100, 'warning'],
    [-29_000, 'warning'],
    [31_000, 'failed'],
    [-31_000, 'failed'],
  ])('a clock %i ms off is %s', (skewMs, verdict) => {
    expect(clockFinding('Postgres', skewMs, 0).verdict).toBe(verdict);
  });

  it('does not blame a clock for a slow answer', () => {
    expect(clockFinding('Postgres', 2_500, 4_000).verdict).toBe('ok');
  });

  it.each([
    [199, 'failed'],
    [1_999, 'warning'],
    [2_000, 'ok'],
  ])('%i MB of free space are %s', (freeMb, verdict) => {
    expect(spaceFinding(freeMb).verdict).toBe(verdict);
  });
});

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { testRedisUrl } from '../support/environment.js';
import { ipmOn, runIpm } from './ipm.js';

jest.setTimeout(60_000);

const COMMANDS = [
  ...['key create', 'key list', 'key revoke', 'org list', 'org get', 'org set', 'audit verify', 'catalog apply'],
  ...['event publish', 'event tail', 'import', 'export', 'webhook listen', 'migrate', 'epoch new', 'doctor'],
];

describe('the ipm command line', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  it('explains itself and every command, with examples, without any configuration', async () => {
    const { stdout, exitCode } = await runIpm({}, '--help');
    expect(exitCode).toBe(0);
    for (const room of new Set(COMMANDS.map((command) => command.split(' ')[0])))
      expect(stdout).toContain(`  ${room} `);
    for (const command of COMMANDS) {
      const help = await runIpm({}, ...command.split(' '), '--help');
      expect(help).toMatchObject({ exitCode: 0, stderr: '' });
      expect(help.stdout).toMatch(new RegExp(`Examples:\\n  \\$ .*ipm ${command}`));
      expect(help.stdout).toContain('--json');
    }
  });

  it.each([[[]], [['key']], [['nonsense']], [['org', 'list', 'extra']], [['audit', 'verify', '--nonsense']]])(
    'answers 2 to %j, in plain words on stderr',
    async (args) => {
      const wrong = await runIpm({}, ...args);
      expect(wrong).toMatchObject({ exitCode: 2, stdout: '' });
      expect(wrong.stderr).not.toBe('');
      expect(wrong.stderr).not.toMatch(/^ +at /m);
    },
  );

  it('prints one JSON document also for what went wrong', async () => {
    const usage = await runIpm({}, '--json', 'key', 'create', '--org', 'acme');
    expect(usage).toMatchObject({ exitCode: 2, document: { error: { error_code: 'wrong_usage' } } });
    const configuration = await ipmOn(database.url, { PORT: 'abc' })('org', 'list', '--json');
    expect(configuration).toMatchObject({ exitCode: 2, document: { error: { error_code: 'bad_configuration' } } });
    expect(configuration.stderr).toContain('PORT must be an integer');
  });

  it('answers 3 when a store does not answer, and shows where an error came from only when asked', async () => {
    const url = new URL(database.url);
    url.port = '1';
    const ipm = ipmOn(url.toString());
    const away = await ipm('org', 'list', '--json');
    expect(away).toMatchObject({ exitCode: 3, document: { error: { error_code: 'database_unavailable' } } });
    expect(away.stderr.trim().split('\n')).toHaveLength(2);
    expect(away.stderr).not.toContain(url.password);
    expect((await ipm('org', 'list', '--verbose')).stderr).toMatch(/^ +at /m);
  });

  it('needs no Redis to make a key', async () => {
    const made = await ipmOn(database.url, { REDIS_URL: 'redis://127.0.0.1:1' })(
      'key',
      'create',
      '--org',
      'acme',
      '--role',
      'owner',
      '--json',
    );
    expect(made).toMatchObject({ exitCode: 0, stderr: '', document: { orgcode: 'acme' } });
  });

  describe('without DATABASE_URL', () => {
    /** The data folder of a stack that `npm start` runs, as it says of itself. */
    const dataFolder = (pid: number): string => {
      const folder = path.join(mkdtempSync(path.join(tmpdir(), 'ipm-stack-')), 'data');
      mkdirSync(folder);
      const stack = { database_url: database.url, redis_url: testRedisUrl(), base_url: 'http://127.0.0.1:3000', pid };
      writeFileSync(path.join(folder, 'stack.json'), JSON.stringify(stack));
      const secrets = { secret: 'x'.repeat(64), encryption_keys: `k1:${Buffer.alloc(32, 7).toString('base64')}` };
      writeFileSync(path.join(folder, 'secrets.json'), JSON.stringify(secrets));
      return folder;
    };

    it('works on the stack that runs', async () => {
      const environment = { IPM_DATA_DIR: dataFolder(process.pid) };
      const made = await runIpm(environment, 'key', 'create', '--org', 'local', '--role', 'owner', '--json');
      expect(made).toMatchObject({ exitCode: 0, document: { orgcode: 'local' } });
      expect(await database.asOwner(`select 1 from api_key where orgcode = 'local'`)).toHaveLength(1);
    });

    it('says how to get one where none runs', async () => {
      const none = await runIpm({ IPM_DATA_DIR: dataFolder(2 ** 22 + 1) }, 'org', 'list');
      expect(none).toMatchObject({ exitCode: 2, stdout: '' });
      expect(none.stderr).toMatch(/DATABASE_URL .* npm start/);
    });
  });

  it('ends quietly when its reader has seen enough', async () => {
    const main = path.join(__dirname, '../../dist/cli/main.js');
    const child = spawn(process.execPath, [main, 'org', 'set', '--help'], { env: { PATH: process.env.PATH } });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    await new Promise((resolve) => child.once('close', resolve));
    expect(stderr).toBe('');
  });
});

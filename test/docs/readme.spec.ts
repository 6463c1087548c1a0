import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../src/local/free-port.js';

const run = promisify(execFile);

/** The shell blocks of the README's tour: those after its "Five minutes", in their order. */
function tour(): string {
  const [, section = ''] = readFileSync('README.md', 'utf8').split('## Five minutes');
  return [...section.matchAll(/```sh\n([^]*?)```/g)].map(([, commands = '']) => commands).join('\n');
}

describe('the tour of the README', () => {
  let stack: ChildProcess;
  let output = '';
  let environment: NodeJS.ProcessEnv;
  let port: number;

  beforeAll(async () => {
    port = await freePort();
    environment = {
      ...process.env,
      DATABASE_URL: '', // a stack of its own
      REDIS_URL: '',
      IPM_DATA_DIR: mkdtempSync(path.join(tmpdir(), 'ipm-readme-')),
      PORT: String(port),
    };
    stack = spawn(process.execPath, ['scripts/start.mjs'], { env: environment });
    for (const stream of [stack.stdout, stack.stderr]) stream?.on('data', (chunk: Buffer) => (output += String(chunk)));
    await Promise.race([untilSays('Ctrl-C stops everything'), once(stack, 'exit')]);
  }, 60_000);

  afterAll(async () => {
    const exited = once(stack, 'exit');
    stack.kill('SIGTERM');
    await exited;
  }, 30_000);

  async function untilSays(text: string): Promise<void> {
    while (!output.includes(text)) await Promise.race([once(stack.stdout!, 'data'), once(stack, 'exit')]);
  }

  it('runs as written', async () => {
    expect(output).toContain(`http://127.0.0.1:${port}/docs`);
    const commands = mkdtempSync(path.join(tmpdir(), 'ipm-readme-path-'));
    for (const name of ['curl', 'npx'])
      symlinkSync(path.resolve(`test/docs/commands/${name}.mjs`), path.join(commands, name));
    const script = tour()
      .replaceAll('./.ipm/stack.json', path.join(environment.IPM_DATA_DIR ?? '', 'stack.json'))
      .replaceAll('http://127.0.0.1:3000', `http://127.0.0.1:${port}`);
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], {
      env: { ...environment, PATH: `${commands}:${process.env.PATH}` },
    });
    const answers = stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { success: boolean });
    expect(answers.map(({ success }) => success)).toEqual([true, true, true, true, true, false, true]);
    expect(stdout).toContain('"accepted":1');
    expect(stdout).toMatch(/"email":"ipm-hash:/);
    expect(stdout).toContain('"error_code":"role_required"');
    expect(stdout).toMatch(/demo +\d+ +intact/);
  }, 60_000);
});

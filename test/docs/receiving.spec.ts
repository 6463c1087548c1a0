import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageHeaders, type OutgoingMessage } from '../../src/delivery/message-headers.js';
import { messageBody } from '../../src/delivery/outgoing-message.js';
import { freePort } from '../../src/local/free-port.js';
import { newSigningSecret } from '../../src/webhook/signing-secret.js';

const DOCUMENT = readFileSync('docs/webhooks-receiving.md', 'utf8');

interface Language {
  name: string;
  fence: string;
  file: string;
  /** How its tool says which one it is. */
  version: [command: string, ...args: string[]];
  /** Makes the program in the folder ready and says how it is started. */
  made: (folder: string, file: string) => string[];
}

const LANGUAGES: readonly Language[] = [
  {
    name: 'TypeScript',
    fence: 'ts',
    file: 'receiver.mts',
    version: [process.execPath, '--version'],
    made: (folder, file) => {
      const options = ['--strict', '--target', 'es2023', '--module', 'nodenext', '--types', 'node', '--skipLibCheck'];
      const typeRoots = path.resolve('node_modules/@types');
      const compiler = path.resolve('node_modules/typescript/bin/tsc');
      const arguments_ = [compiler, ...options, '--typeRoots', typeRoots, file];
      const { status, stdout } = spawnSync(process.execPath, arguments_, { cwd: folder, encoding: 'utf8' });
      if (status !== 0) throw new Error(stdout);
      return [process.execPath, path.join(folder, 'receiver.mjs')];
    },
  },
  {
    name: 'Python',
    fence: 'python',
    file: 'receiver.py',
    version: ['python3', '--version'],
    made: (_folder, file) => ['python3', file],
  },
  {
    name: 'Go',
    fence: 'go',
    file: 'receiver.go',
    version: ['go', 'version'],
    made: (folder, file) => {
      const program = path.join(folder, 'receiver');
      execFileSync('go', ['build', '-o', program, file], { env: { ...process.env, GOTOOLCHAIN: 'local' } });
      return [program];
    },
  },
];

function snippet(fence: string): string {
  const [, code] = new RegExp(`\`\`\`${fence}\\n([^]*?)\`\`\``).exec(DOCUMENT) ?? [];
  if (code === undefined) throw new Error(`the document has no receiver in ${fence}`);
  return code;
}

/** Undefined where the tool is not on this machine. */
function versionOf([command, ...args]: Language['version']): string | undefined {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

const EVENT = {
  orgcode: 'acme',
  eventId: 'e-1',
  occurredAt: '2026-01-02T03:04:05.000000Z',
  position: 7n,
  recordedAt: new Date('2026-01-02T03:04:06Z'),
  envelope:
    '{"event_id":"e-1","service":"shop","action":"basket.closed","occurred_at":"2026-01-02T03:04:05Z","payload":{"note":"Grüße 😀"}}',
};
const BODY = messageBody('envelope', EVENT);

describe('the receivers of docs/webhooks-receiving.md', () => {
  for (const language of LANGUAGES) {
    const version = versionOf(language.version);
    if (version === undefined) {
      it(`${language.name}: NOT RUN, because ${language.version[0]} is not on this machine`, () => {
        expect(snippet(language.fence)).toContain('webhook-signature');
      });
      continue;
    }
    describe(`${language.name}, run with ${version}`, () => {
      const secret = newSigningSecret();
      let receiver: ChildProcess;
      let port: number;
      let output = '';

      beforeAll(async () => {
        const folder = mkdtempSync(path.join(tmpdir(), 'ipm-receiver-'));
        const file = path.join(folder, language.file);
        writeFileSync(file, snippet(language.fence));
        const [command = '', ...args] = language.made(folder, file);
        port = await freePort();
        receiver = spawn(command, args, { env: { ...process.env, WEBHOOK_SECRET: secret, PORT: String(port) } });
        for (const stream of [receiver.stdout, receiver.stderr])
          stream?.on('data', (chunk: Buffer) => (output += String(chunk)));
        while (!(await isListening(port))) {
          if (receiver.exitCode !== null) throw new Error(`the receiver has ended: ${output}`);
          await sleep(50);
        }
      }, 240_000); // Go compiles its library the first time

      afterAll(() => receiver.kill('SIGKILL'));

      const post = async (headers: Record<string, string>, body = BODY): Promise<number> => {
        const { status } = await fetch(`http://127.0.0.1:${port}/hook`, { method: 'POST', headers, body });
        return status;
      };
      const signed = (eventId: string, overrides: Partial<OutgoingMessage> = {}): Record<string, string> =>
        messageHeaders({
          format: 'envelope',
          event: { ...EVENT, eventId },
          body: BODY,
          secrets: [secret],
          custom: {},
          deliveryId: '00000000-0100-8000-8000-000007000000',
          attempt: 1,
          isReplay: false,
          nowSeconds: now(),
          ...overrides,
        });

      it('accepts a message of ours and works on it once, however often it comes', async () => {
        expect(await post(signed('once'))).toBe(204);
        expect(await post(signed('once', { attempt: 2, nowSeconds: now() + 1 }))).toBe(204);
        expect(await post(signed('another'))).toBe(204);
        await sleep(100);
        expect(output.match(/^received shop\.basket\.closed e-1$/gm)).toHaveLength(2);
      });

      it('accepts either signature while a secret is being exchanged', async () => {
        expect(await post(signed('newer', { secrets: [newSigningSecret(), secret] }))).toBe(204);
        expect(await post(signed('older', { secrets: [secret, newSigningSecret()] }))).toBe(204);
      });

      it('refuses an altered body, another id, another time, another secret and an old message', async () => {
        const headers = signed('refused');
        expect(await post(headers, BODY.replace('e-1', 'e-2'))).toBe(401);
        expect(await post({ ...headers, 'webhook-id': 'msg_other' })).toBe(401);
        expect(await post({ ...headers, 'webhook-timestamp': String(now() + 1) })).toBe(401);
        expect(await post(signed('refused', { secrets: [newSigningSecret()] }))).toBe(401);
        for (const seconds of [-301, 310, -1e9, 1e12])
          expect(await post(signed('refused', { nowSeconds: now() + seconds }))).toBe(401);
        expect(await post(headers)).toBe(204);
      });

      it('refuses what is not signed at all, or signed like nonsense', async () => {
        const headers = signed('unsigned');
        const [, value = ''] = (headers['webhook-signature'] ?? '').split(',');
        for (const signature of ['', 'v1', 'v1,', 'v1,%', value, `v2,${value}`, `v1,${value.slice(0, -4)}`, 'v1,é'])
          expect(await post({ ...headers, 'webhook-signature': signature })).toBe(401);
        for (const timestamp of ['', 'now', 'NaN', '9'.repeat(5_000)])
          expect(await post({ ...headers, 'webhook-timestamp': timestamp })).toBe(401);
        expect(await post({})).toBe(401);
        expect(receiver.exitCode).toBeNull();
      });

      it('does not start without a secret', () => {
        const [command = '', ...args] = receiver.spawnargs;
        const environment = { ...process.env, WEBHOOK_SECRET: '', PORT: String(port) };
        const { status, stderr } = spawnSync(command, args, { env: environment, encoding: 'utf8', timeout: 20_000 });
        expect(status).not.toBe(0);
        expect(stderr).toContain('WEBHOOK_SECRET is missing');
      });
    });
  }
});

describe('docs/webhooks-receiving.md', () => {
  it('names every tag that an attempt can fail with', () => {
    const sources = ['outgoing-failure', 'endpoint-rules', 'guarded-client', 'outgoing-calls'].map((name) =>
      readFileSync(`src/platform/outgoing/${name}.ts`, 'utf8'),
    );
    const schedule = readFileSync('src/platform/outgoing/retry-schedule.ts', 'utf8');
    const tags = [...sources, schedule].flatMap((source) =>
      [...source.matchAll(/(?:, |return |\? |: |\?\? )'([a-z]+(?:_[a-z]+)*)'/g)].map(([, tag]) => tag),
    );
    const documented = new Set([...DOCUMENT.matchAll(/`([a-z_]+)`/g)].map(([, tag]) => tag));
    const others = ['attempts_exhausted', 'too_old', 'delivered', 'dead', 'gone', 'retry', 'listed', 'utf8'];
    expect(tags.length).toBeGreaterThan(15);
    expect(tags.filter((tag) => !documented.has(tag) && !others.includes(tag ?? ''))).toEqual([]);
  });
});

function now(): number {
  return Math.floor(Date.now() / 1000);
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

import { spawn, spawnSync } from 'node:child_process';

const ANSWERS_WITHIN_MS = 10_000;

/** The engine and the compose command that are here: version 2 (`docker compose`) or 1 (`docker-compose`). `missing` says what is not. */
export function findEngine() {
  const docker = answerOf(['docker', 'version', '--format', '{{.Server.Version}}']);
  if (docker === undefined) return { missing: 'no Docker engine answers (`docker version`)' };
  for (const compose of [['docker', 'compose'], ['docker-compose']]) {
    const version = answerOf([...compose, 'version', '--short']);
    if (version !== undefined) return { compose, version: `Docker ${docker}, ${compose.join(' ')} ${version}` };
  }
  return { missing: 'a Docker engine answers, but there is neither `docker compose` nor `docker-compose`' };
}

function answerOf([command, ...args]) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', timeout: ANSWERS_WITHIN_MS });
  return status === 0 && stdout.trim() !== '' ? stdout.trim() : undefined;
}

/** Runs to the end and answers what came; throws with the end of it unless the exit code is 0, or `anyExit` is wanted. */
export async function run([command, ...args], { env, cwd, timeoutMs = 60_000, signal, anyExit = false } = {}) {
  const child = spawn(command, args, {
    env,
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  // Asked to, it ends its work at the engine; a build would go on there if it were killed.
  signal?.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'])
    child[stream].setEncoding('utf8').on('data', (text) => (output[stream] += text));
  const [exitCode, killedBy] = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (...outcome) => resolve(outcome));
  });
  signal?.throwIfAborted();
  if (exitCode !== 0 && !anyExit) {
    const said = `${output.stdout}\n${output.stderr}`.trim().split('\n').slice(-15).join('\n');
    throw new Error(`${[command, ...args].join(' ').slice(0, 200)} ended with ${killedBy ?? exitCode}:\n${said}`);
  }
  return { exitCode, ...output };
}

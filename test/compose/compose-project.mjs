import { readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { run } from './docker-engine.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const BUILD_AND_UP_WITHIN_MS = 20 * 60_000;
const HEALTHY_WITHIN_MS = 120_000;

/** What Docker's own programs need; nothing else of the shell, nor the user's .env, gets into the stack under test. */
const OF_DOCKER =
  /^(PATH|HOME|USER|LANG|TMPDIR|XDG_.*|SSL_CERT_.*|DOCKER_.*|COMPOSE_DOCKER_CLI_BUILD|BUILDKIT_.*|(HTTPS?|NO)_PROXY)$/i;

/** A compose project of its own: name, ports, image and volumes that no other has. */
export class ComposeProject {
  /** `stopping` ends what takes minutes. */
  static async create(compose, stopping) {
    const { TEST_COMPOSE_PROJECT, TEST_COMPOSE_PORT, TEST_COMPOSE_S3_PORT } = process.env;
    return new ComposeProject(compose, {
      stopping,
      name: TEST_COMPOSE_PROJECT || `ipm-test-${process.pid}`,
      port: Number(TEST_COMPOSE_PORT) || (await freePort()),
      s3Port: Number(TEST_COMPOSE_S3_PORT) || (await freePort()),
    });
  }

  constructor(compose, { stopping, name, port, s3Port }) {
    this.compose = compose;
    this.stopping = stopping;
    this.name = name;
    this.port = port;
    this.s3Port = s3Port;
    this.url = `http://127.0.0.1:${port}`;
    const inherited = Object.entries(process.env).filter(([variable]) => OF_DOCKER.test(variable));
    this.env = {
      ...Object.fromEntries(inherited),
      IPM_IMAGE: name,
      IPM_PORT: String(port),
      IPM_S3_PORT: String(s3Port),
      S3_PUBLIC_ENDPOINT: `http://127.0.0.1:${s3Port}`,
      IPM_PUBLIC_URL: this.url,
    };
  }

  up(...options) {
    return this.command(['up', '-d', ...options], { timeoutMs: BUILD_AND_UP_WITHIN_MS, signal: this.stopping });
  }

  /** Containers and networks go, volumes stay. */
  down(...options) {
    return this.command(['down', ...options], { timeoutMs: 120_000 });
  }

  command(args, options = {}) {
    const settings = path.join(import.meta.dirname, 'settings.env');
    const project = ['-p', this.name, '--project-directory', root, '-f', path.join(root, 'docker-compose.yml')];
    return run([...this.compose, '--env-file', settings, ...project, ...args], {
      env: this.env,
      cwd: root,
      ...options,
    });
  }

  docker(args, options = {}) {
    return run(['docker', ...args], { env: this.env, ...options });
  }

  exec(service, command, options = {}) {
    return this.command(['exec', '-T', service, ...command], { anyExit: true, ...options });
  }

  /** Runs a module of the folder `inside` below /app of a container, with the packages of the image; answers what it prints. */
  async runInside(service, module, args = []) {
    const source = readFileSync(path.join(import.meta.dirname, 'inside', `${module}.mjs`), 'utf8');
    const command = ['node', '--input-type=module', '-e', source, '--', ...args];
    const { exitCode, stdout, stderr } = await this.exec(service, command);
    if (exitCode !== 0)
      throw new Error(`${module} inside ${service}: ${stderr.trim().split('\n').slice(0, 8).join('\n')}`);
    return JSON.parse(stdout);
  }

  /** Everything Docker knows about the project's containers, by service. */
  async containers() {
    const ids = (await this.docker(['ps', '-aq', '--filter', `label=com.docker.compose.project=${this.name}`])).stdout;
    const found = ids.split('\n').filter(Boolean);
    if (found.length === 0) return new Map();
    const inspected = JSON.parse((await this.docker(['inspect', ...found])).stdout);
    return new Map(inspected.map((container) => [container.Config.Labels['com.docker.compose.service'], container]));
  }

  async volumes() {
    const filter = `label=com.docker.compose.project=${this.name}`;
    return (await this.docker(['volume', 'ls', '-q', '--filter', filter])).stdout.split('\n').filter(Boolean);
  }

  async waitUntilHealthy(services) {
    const until = Date.now() + HEALTHY_WITHIN_MS;
    for (;;) {
      const containers = await this.containers();
      const states = services.map((service) => containers.get(service)?.State);
      const notYet = services.filter((_service, i) => states[i]?.Health?.Status !== 'healthy');
      if (notYet.length === 0) return;
      const ended = services.filter((_service, i) => states[i] && !states[i].Running && !states[i].Restarting);
      if (ended.length > 0) throw new Error(`${ended.join(', ')} ended instead of becoming healthy`);
      if (Date.now() > until) throw new Error(`${notYet.join(', ')} not healthy within ${HEALTHY_WITHIN_MS / 1000} s`);
      await delay(250);
    }
  }

  async removeImage() {
    await this.docker(['image', 'rm', this.name], { anyExit: true, timeoutMs: 300_000 });
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

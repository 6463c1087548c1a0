import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { startS3Server } from '../support/s3-server/start.js';

async function isServing(endpoint: string): Promise<boolean> {
  return request(endpoint).then(
    async (answer) => {
      await answer.body.dump();
      return true;
    },
    () => false,
  );
}

async function expectGone(endpoint: string): Promise<void> {
  for (let tries = 0; tries < 50 && (await isServing(endpoint)); tries += 1) await sleep(20);
  expect(await isServing(endpoint)).toBe(false);
}

describe('the process of the S3 server', () => {
  it('ends when it is stopped', async () => {
    const server = await startS3Server();
    expect(await isServing(server.endpoint)).toBe(true);
    await server.stop();
    await expectGone(server.endpoint);
  });

  it('ends when the process that started it is killed', async () => {
    const script = path.join(import.meta.dirname, '../support/s3-server/server.mjs');
    const options = {
      region: 'us-east-1',
      bucket: 'ipm-test',
      accessKeyId: 'k',
      secretAccessKey: 's',
      faultsToken: 't',
    };
    const starter = `
      const child = require('node:child_process').spawn(process.execPath, process.argv.slice(1), { stdio: ['pipe', 'inherit', 'inherit'] });
      child.stdin.write('x');
    `;
    const parent = spawn(process.execPath, ['-e', starter, script, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const endpoint = `http://127.0.0.1:${(JSON.parse(line.toString()) as { port: number }).port}`;
    expect(await isServing(endpoint)).toBe(true);
    parent.kill('SIGKILL');
    await expectGone(endpoint);
  });

  it('takes faults only with its token', async () => {
    const server = await startS3Server();
    const answer = await request(`${server.endpoint}/__faults`, { method: 'POST', body: '{"refuseNext":1}' });
    expect(answer.statusCode).toBe(403);
    await answer.body.dump();
    expect((await server.faults.read()).refuseNext).toBe(0);
    await server.stop();
  });
});

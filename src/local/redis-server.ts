import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { rememberedOrFreePort } from './free-port.js';
import { ManagedProcess } from './managed-process.js';
import type { ProcessRecords } from './process-records.js';
import type { RedisBinary } from './redis-search.js';

export interface RedisOptions {
  binary: RedisBinary;
  folder: string;
  password: string;
  databases: number;
  rememberedPort: number | undefined;
  logFile: string;
  records: ProcessRecords;
  stopping: AbortSignal | undefined;
}

const READY_WITHIN_MS = 15_000;
const ATTEMPTS = 5;

/** Only a doorbell: it keeps nothing on the disk, and a restart costs nothing. */
export class RedisServer {
  private constructor(
    readonly process: ManagedProcess,
    readonly port: number,
    private readonly password: string,
  ) {}

  static async start(options: RedisOptions): Promise<RedisServer> {
    for (let attempt = 1; ; attempt += 1) {
      options.stopping?.throwIfAborted();
      const port = await rememberedOrFreePort(attempt === 1 ? options.rememberedPort : undefined);
      const process = launch(options, port);
      try {
        await process.waitUntil(() => answersPing(port, options.password), READY_WITHIN_MS, options.stopping);
        return new RedisServer(process, port, options.password);
      } catch (error) {
        const portTaken = process.lastLines(6).some((line) => line.includes('Address already in use'));
        await process.stop();
        if (!portTaken || attempt === ATTEMPTS) throw error;
        await delay(50);
      }
    }
  }

  url(): string {
    return `redis://:${this.password}@127.0.0.1:${this.port}`;
  }
}

function launch(options: RedisOptions, port: number): ManagedProcess {
  const { binary } = options;
  const configuration = [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${options.password}`,
    `databases ${options.databases}`,
    'save ""',
    'appendonly no',
    'maxmemory-policy noeviction',
    'daemonize no',
  ];
  return new ManagedProcess(
    {
      kind: 'redis',
      command: binary.command,
      args: ['-'],
      environment: { ...process.env, LC_ALL: 'C', ...(binary.libraries && { LD_LIBRARY_PATH: binary.libraries }) },
      folder: options.folder,
      logFile: options.logFile,
      input: `${configuration.join('\n')}\n`,
    },
    options.records,
  );
}

function answersPing(port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    let answer = '';
    const finish = (isReady: boolean): void => {
      socket.destroy();
      resolve(isReady);
    };
    socket.setTimeout(1_000, () => finish(false));
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (answer.includes('+PONG')) finish(true);
    });
    socket.write(`AUTH ${password}\r\nPING\r\n`);
  });
}

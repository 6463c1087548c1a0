import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Redis as Client } from 'ioredis';
import { Configuration } from '../config/configuration.js';
import { log } from '../telemetry/logger.js';

const COMMAND_TIMEOUT_MS = 500;
const RECONNECT_MS = { first: 100, most: 2_000 };

/**
 * Redis holds nothing whose loss matters, so it may be away at any moment: commands then fail at once instead of queueing,
 * and whoever sent them goes on without.
 */
@Injectable()
export class Redis implements OnApplicationShutdown {
  readonly client: Client;
  private wasReady = false;

  constructor(configuration: Configuration) {
    this.client = new Client(configuration.redisUrl, {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 1,
      connectTimeout: COMMAND_TIMEOUT_MS,
      commandTimeout: COMMAND_TIMEOUT_MS,
      disconnectTimeout: COMMAND_TIMEOUT_MS, // or a process that never reached Redis would end seconds late
      retryStrategy: (attempt) => Math.min(RECONNECT_MS.first * attempt, RECONNECT_MS.most),
    });
    this.client.on('ready', () => {
      this.wasReady = true;
      log.info('Redis is connected');
    });
    // Said once per loss, not once per attempt to reconnect.
    this.client.on('error', (error) => {
      if (this.wasReady)
        log.warn({ err: error }, 'Redis is away: wake-ups come from sweeps, rate limits are kept per process');
      this.wasReady = false;
    });
  }

  get isReady(): boolean {
    return this.client.status === 'ready';
  }

  onApplicationShutdown(): void {
    this.client.disconnect();
  }
}

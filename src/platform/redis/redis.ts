import { randomUUID } from 'node:crypto';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Redis as Client } from 'ioredis';
import { Configuration } from '../config/configuration.js';
import { log } from '../telemetry/logger.js';

const COMMAND_TIMEOUT_MS = 500;
const RECONNECT_MS = { first: 100, most: 2_000 };

export interface Subscription {
  end: () => void;
}

/**
 * Redis holds nothing whose loss matters, so it may be away at any moment: commands then fail at once instead of queueing,
 * and whoever sent them goes on without.
 */
@Injectable()
export class Redis implements OnApplicationShutdown {
  readonly client: Client;
  /** In front of what is published, all of one length. */
  private readonly ownName = randomUUID();
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

  /** Best effort: nobody waits for it, and away means away. Our own subscriptions do not hear it. */
  publish(channel: string, message: string): void {
    if (this.isReady) this.client.publish(channel, `${this.ownName}${message}`).catch(() => undefined);
  }

  /** On a connection of its own, which comes back by itself; what is said in between is missed. */
  subscribe(channel: string, heard: (message: string) => void): Subscription {
    const connection = this.client.duplicate({ enableOfflineQueue: true, commandTimeout: undefined as never });
    connection.on('error', () => undefined); // the other connection says it
    connection.on('message', (_channel: string, message: string) => {
      if (!message.startsWith(this.ownName)) heard(message.slice(this.ownName.length));
    });
    connection.subscribe(channel).catch(() => undefined);
    return { end: () => connection.disconnect() };
  }

  onApplicationShutdown(): void {
    this.client.disconnect();
  }
}

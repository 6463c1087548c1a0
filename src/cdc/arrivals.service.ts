import { EventEmitter } from 'node:events';
import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Redis, type Subscription } from '../platform/redis/redis.js';

const CHANNEL = 'ipm:arrivals';

/**
 * The doorbell of the log: says which organisation has new events, in this process at once and to the others by way of
 * Redis. A ring that is lost costs a moment and never an event: who listens also looks by itself from time to time.
 */
@Injectable()
export class Arrivals implements OnModuleInit, OnApplicationShutdown {
  private readonly bell = new EventEmitter().setMaxListeners(0);
  private readonly unsaid = new Set<string>();
  private subscription: Subscription | undefined;

  constructor(private readonly redis: Redis) {}

  onModuleInit(): void {
    this.subscription = this.redis.subscribe(CHANNEL, (message) => {
      for (const orgcode of message.split(' ')) this.ringHere(orgcode);
    });
  }

  onApplicationShutdown(): void {
    this.subscription?.end();
  }

  /** After the commit. What happens in one turn of the event loop is said to the other processes in one message. */
  announce(orgcode: string): void {
    this.ringHere(orgcode);
    if (this.unsaid.size === 0) setImmediate(() => this.tellOthers());
    this.unsaid.add(orgcode);
  }

  /** In this process alone, for who noticed by looking. */
  ringHere(orgcode: string): void {
    this.bell.emit(`org ${orgcode}`);
    this.bell.emit('any', orgcode);
  }

  /** Calls back for each ring of the organisation until the returned function is called. */
  listen(orgcode: string, heard: () => void): () => void {
    const name = `org ${orgcode}`; // an organisation may be called "error"
    this.bell.on(name, heard);
    return () => this.bell.off(name, heard);
  }

  /** Calls back with each organisation that rings. */
  listenToAll(heard: (orgcode: string) => void): () => void {
    this.bell.on('any', heard);
    return () => this.bell.off('any', heard);
  }

  private tellOthers(): void {
    const message = [...this.unsaid].join(' ');
    this.unsaid.clear();
    this.redis.publish(CHANNEL, message);
  }
}

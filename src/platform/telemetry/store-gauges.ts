import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { Database } from '../database/database.js';
import { Redis } from '../redis/redis.js';
import { Metrics } from './metrics.js';

/** How this process gets on with Postgres and Redis. */
@Injectable()
export class StoreGauges implements OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly database: Database,
    private readonly redis: Redis,
  ) {}

  onModuleInit(): void {
    const { database, redis } = this;
    const registers = [this.metrics.registry];
    new Gauge({
      name: 'ipm_database_connections',
      help: 'Connections to Postgres by pool, at work or idle, and callers that wait for one',
      labelNames: ['pool', 'state'],
      registers,
      collect() {
        for (const { pool, ...states } of database.connections())
          for (const [state, count] of Object.entries(states)) this.set({ pool, state }, count);
      },
    });
    new Gauge({
      name: 'ipm_redis_ready',
      help: '1 while Redis answers; without it wake-ups come from sweeps and rate limits are kept per process',
      registers,
      collect() {
        this.set(redis.isReady ? 1 : 0);
      },
    });
  }
}

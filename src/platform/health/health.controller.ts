import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Database } from '../database/database.js';
import { GracefulStop } from '../http/graceful-stop.js';
import { PublicRoute } from '../http/public-route.js';
import { Redis } from '../redis/redis.js';

interface ReadinessReport {
  status: 'ready' | 'stopping' | 'unavailable';
  database: boolean;
  /** For information: without Redis everything goes on, more slowly. */
  redis: boolean;
}

/** A probe that hangs tells nobody anything: a Postgres that does not answer by then is not there. */
const PATIENCE_MS = 2_000;

/** For orchestrators. Alive: the process answers. Ready: it can serve, for which it needs Postgres and not Redis. */
@ApiExcludeController()
@Controller('health')
export class HealthController {
  constructor(
    private readonly database: Database,
    private readonly redis: Redis,
    private readonly gracefulStop: GracefulStop,
  ) {}

  @Get('live')
  @PublicRoute()
  live(): { status: 'alive' } {
    return { status: 'alive' };
  }

  @Get('ready')
  @PublicRoute()
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<ReadinessReport> {
    const database = await Promise.race([answers(this.database), sleep(PATIENCE_MS, false, { ref: false })]);
    const status = this.gracefulStop.isStopping ? 'stopping' : database ? 'ready' : 'unavailable';
    void reply.status(status === 'ready' ? 200 : 503);
    return { status, database, redis: this.redis.isReady };
  }
}

function answers(database: Database): Promise<boolean> {
  return database.ping().then(
    () => true,
    () => false,
  );
}

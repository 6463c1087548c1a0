import { createHash, timingSafeEqual } from 'node:crypto';
import { Controller, Get, Headers, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Configuration } from '../config/configuration.js';
import { AppError } from '../errors/app-error.js';
import { platformErrors } from '../errors/platform.errors.js';
import { PublicRoute } from '../http/public-route.js';
import { Metrics } from './metrics.js';

/** For Prometheus: `Authorization: Bearer` with METRICS_TOKEN. Without that setting there is nothing here. */
@ApiExcludeController()
@Controller('metrics')
export class MetricsController {
  constructor(
    private readonly configuration: Configuration,
    private readonly metrics: Metrics,
  ) {}

  @Get()
  @PublicRoute()
  async read(@Res({ passthrough: true }) reply: FastifyReply, @Headers('authorization') given = ''): Promise<string> {
    const { metricsToken } = this.configuration;
    if (metricsToken === undefined) throw new AppError(platformErrors.routeNotFound);
    if (!isSame(given, `Bearer ${metricsToken}`)) throw new AppError(platformErrors.credentialInvalid);
    void reply.type(this.metrics.registry.contentType);
    return this.metrics.text();
  }
}

function isSame(given: string, wanted: string): boolean {
  return timingSafeEqual(digestOf(given), digestOf(wanted));
}

/** Of one length, whatever is given. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

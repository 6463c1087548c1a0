import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Configuration } from '../config/configuration.js';
import { AppError } from '../errors/app-error.js';
import { platformErrors } from '../errors/platform.errors.js';
import { RateLimiter } from '../rate-limit/rate-limiter.js';
import type { Principal } from './caller.js';
import type { RateClass } from './operation.js';

/** No orgcode, so that no organisation shares it. */
const OPERATORS = '/operators';

/** How often somebody may call, as the answer's headers say. */
@Injectable()
export class CallRate {
  constructor(
    private readonly limiter: RateLimiter,
    private readonly configuration: Configuration,
  ) {}

  /** Of one organisation, all of its credentials of a kind together. */
  async spend(reply: FastifyReply, orgcode: string, principal: Principal, rateClass: RateClass): Promise<void> {
    const callerClass = principal.contextSource === 'api_key' ? 'key' : 'session';
    const name = rateClass === 'caller' ? callerClass : rateClass;
    const perMinute = principal.limitsByOrg.get(orgcode)?.[name] ?? this.configuration.rateLimits[name];
    await this.take(reply, orgcode, name, perMinute);
  }

  /** Operators have the rate of a key. */
  async spendOfOperators(reply: FastifyReply): Promise<void> {
    await this.take(reply, OPERATORS, 'key', this.configuration.rateLimits.key);
  }

  private async take(reply: FastifyReply, whose: string, policy: string, perMinute: number): Promise<void> {
    const bucket = { name: `${whose}:${policy}`, perMinute };
    const { allowed, remaining, retryAfterSeconds } = await this.limiter.take(bucket);
    void reply.headers({
      'ratelimit-policy': `"${policy}";q=${perMinute};w=60`,
      ratelimit: `"${policy}";r=${remaining};t=${retryAfterSeconds}`,
    });
    if (!allowed)
      throw new AppError(platformErrors.rateLimited, { retryAfterSeconds, details: { limit_class: policy } });
  }
}

import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Configuration } from '../config/configuration.js';
import { AppError } from '../errors/app-error.js';
import { platformErrors } from '../errors/platform.errors.js';
import { RateLimiter } from './rate-limiter.js';

const MAX_BARRED_ADDRESSES = 10_000;

/** Addresses whose credentials fail too often are told to wait. One count for all ways in, or each would be a second chance. */
@Injectable()
export class FailedLogins {
  private readonly barredAddresses = new LRUCache<string, number>({ max: MAX_BARRED_ADDRESSES });

  constructor(
    private readonly limiter: RateLimiter,
    private readonly configuration: Configuration,
  ) {}

  /** Before anything is looked up or compared. */
  assertMayTry(address: string): void {
    const untilMs = this.barredAddresses.get(address) ?? 0;
    const waitMs = untilMs - Date.now();
    if (waitMs > 0) throw new AppError(platformErrors.rateLimited, { retryAfterSeconds: Math.ceil(waitMs / 1000) });
  }

  /** Throws where it was one too many. */
  async count(address: string): Promise<void> {
    const bucket = { name: `address:${address}:failed_login`, perMinute: this.configuration.rateLimits.failedLogin };
    const { allowed, retryAfterSeconds } = await this.limiter.take(bucket);
    if (allowed) return;
    this.barredAddresses.set(address, Date.now() + retryAfterSeconds * 1000);
    throw new AppError(platformErrors.rateLimited, { retryAfterSeconds });
  }
}

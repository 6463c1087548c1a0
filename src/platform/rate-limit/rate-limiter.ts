import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Redis } from '../redis/redis.js';
import { bucketCapacity, takeTokens, type BucketState, type Taking } from './token-bucket.js';

export interface Bucket {
  /** Whose calls of which class: `acme:key`. */
  name: string;
  perMinute: number;
}

export interface Verdict {
  allowed: boolean;
  remaining: number;
  retryAfterSeconds: number;
}

const MAX_LOCAL_BUCKETS = 50_000;
/** A Redis that hangs would cost every call its timeout: after one failure it is left alone for this long. */
const REST_AFTER_FAILURE_MS = 2_000;

// The rule of token-bucket.ts with Redis's own clock, so that processes need not agree on the time.
const TAKE_TOKENS = `
local capacity, perMinute, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local elapsed = math.max(0, now - (tonumber(known[2]) or now))
local tokens = math.min(capacity, (tonumber(known[1]) or capacity) + elapsed * perMinute / 60000)
local granted = math.min(wanted, math.floor(tokens))
local left = tokens - granted
redis.call('HSET', KEYS[1], 'tokens', tostring(left), 'at', now)
redis.call('PEXPIRE', KEYS[1], 180000)
local wait = left >= 1 and 0 or math.ceil((1 - left) * 60000 / perMinute)
return { granted, math.floor(left), wait }`;

interface Waiting {
  resolve: (verdict: Verdict) => void;
}

/**
 * Token buckets that all processes share. Calls of one bucket that arrive while a question to Redis is on its way are asked
 * together in the next one: exact like one question per call, and at high rates a small part of their cost.
 */
@Injectable()
export class RateLimiter {
  private readonly queues = new Map<string, Waiting[]>();
  private readonly localBuckets = new LRUCache<string, BucketState>({ max: MAX_LOCAL_BUCKETS });
  private restUntilMs = 0;

  constructor(private readonly redis: Redis) {}

  take(bucket: Bucket): Promise<Verdict> {
    return new Promise((resolve) => {
      const queue = this.queues.get(bucket.name);
      if (queue) {
        queue.push({ resolve });
        return;
      }
      this.queues.set(bucket.name, [{ resolve }]);
      void this.serve(bucket);
    });
  }

  private async serve(bucket: Bucket): Promise<void> {
    for (;;) {
      const waiting = this.queues.get(bucket.name)?.splice(0) ?? [];
      if (waiting.length === 0) break;
      const taking = await this.takeShared(bucket, waiting.length);
      for (const [i, { resolve }] of waiting.entries()) resolve(verdictOf(taking, i));
    }
    this.queues.delete(bucket.name);
  }

  private async takeShared({ name, perMinute }: Bucket, wanted: number): Promise<Taking> {
    if (Date.now() < this.restUntilMs) return this.takeLocal(name, perMinute, wanted);
    try {
      const answer = await this.redis.client.eval(
        TAKE_TOKENS,
        1,
        `ipm:rate:${name}`,
        bucketCapacity(perMinute),
        perMinute,
        wanted,
      );
      const [granted, remaining, waitMs] = answer as [number, number, number];
      return { granted, remaining, waitMs };
    } catch {
      this.restUntilMs = Date.now() + REST_AFTER_FAILURE_MS;
      return this.takeLocal(name, perMinute, wanted);
    }
  }

  private takeLocal(name: string, perMinute: number, wanted: number): Taking {
    const { state, taking } = takeTokens(this.localBuckets.get(name), perMinute, wanted, Date.now());
    this.localBuckets.set(name, state);
    return taking;
  }
}

function verdictOf({ granted, remaining, waitMs }: Taking, place: number): Verdict {
  return { allowed: place < granted, remaining, retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
}

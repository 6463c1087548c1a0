/** A bucket holds two minutes' worth of calls and refills evenly: bursts of twice the rate pass, the average does not exceed it. */
const BURST = 2;
const MINUTE_MS = 60_000;

export interface BucketState {
  tokens: number;
  atMs: number;
}

export interface Taking {
  granted: number;
  remaining: number;
  /** Until the next token is there; 0 if one is. */
  waitMs: number;
}

export function bucketCapacity(perMinute: number): number {
  return perMinute * BURST;
}

/** Takes up to `wanted` tokens. The Lua script in `rate-limiter.ts` is the same rule where the state is in Redis. */
export function takeTokens(
  state: BucketState | undefined,
  perMinute: number,
  wanted: number,
  nowMs: number,
): { state: BucketState; taking: Taking } {
  const capacity = bucketCapacity(perMinute);
  const elapsedMs = Math.max(0, nowMs - (state?.atMs ?? nowMs));
  const tokens = Math.min(capacity, (state?.tokens ?? capacity) + (elapsedMs * perMinute) / MINUTE_MS);
  const granted = Math.min(wanted, Math.floor(tokens));
  const left = tokens - granted;
  const waitMs = left >= 1 ? 0 : Math.ceil(((1 - left) * MINUTE_MS) / perMinute);
  return { state: { tokens: left, atMs: nowMs }, taking: { granted, remaining: Math.floor(left), waitMs } };
}

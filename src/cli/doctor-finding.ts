/** One thing that the doctor looked at. */
export interface Finding {
  check: string;
  verdict: 'ok' | 'warning' | 'failed';
  message: string;
  /** What to do about it. */
  next?: string;
}

export function ok(check: string, message: string): Finding {
  return { check, verdict: 'ok', message };
}

export function warning(check: string, message: string, next: string): Finding {
  return { check, verdict: 'warning', message, next };
}

export function failed(check: string, message: string, next: string): Finding {
  return { check, verdict: 'failed', message, next };
}

const SKEW_TO_MENTION_MS = 2_000;
const SKEW_TO_REFUSE_MS = 30_000;

/** A store's clock against this machine's; `roundTripMs` is how far the reading can be off. */
export function clockFinding(store: string, skewMs: number, roundTripMs: number): Finding {
  const check = `clock of ${store}`;
  const off = Math.max(0, Math.abs(skewMs) - roundTripMs / 2);
  const message = `${(Math.abs(skewMs) / 1000).toFixed(1)} s ${skewMs < 0 ? 'behind' : 'ahead of'} this machine`;
  const next = `set both clocks by the same time service (this machine and that of ${store})`;
  if (off > SKEW_TO_REFUSE_MS) return failed(check, message, next);
  return off > SKEW_TO_MENTION_MS ? warning(check, message, next) : ok(check, message);
}

/** Reads a clock and compares it with the middle of the time that reading took. */
export async function examineClock(store: string, readMs: () => Promise<number>): Promise<Finding> {
  const askedMs = Date.now();
  const storeMs = await readMs();
  const answeredMs = Date.now();
  return clockFinding(store, storeMs - (askedMs + answeredMs) / 2, answeredMs - askedMs);
}

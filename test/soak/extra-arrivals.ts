import type { Arrival } from '../support/webhook-sink.js';

const SHOWN = 4;

/** Examples of deliveries that arrived again after they had been taken, or twice in one attempt, for who looks for the reason. */
export function examplesOfExtra(arrivals: readonly Arrival[]): string[] {
  const byDelivery = new Map<string, Arrival[]>();
  for (const arrival of arrivals) {
    const key = `${arrival.eventId} at ${arrival.path}`;
    byDelivery.set(key, [...(byDelivery.get(key) ?? []), arrival]);
  }
  return [...byDelivery]
    .filter(([, calls]) => hasExtra(calls))
    .slice(0, SHOWN)
    .map(([what, calls]) => `extra: ${what}: ${calls.map(inWords).join('; ')}`);
}

function hasExtra(calls: readonly Arrival[]): boolean {
  const attempts = new Set(calls.map(attemptOf));
  return attempts.size < calls.length || calls.slice(0, -1).some(({ answered }) => answered >= 200 && answered < 300);
}

function inWords(arrival: Arrival): string {
  const at = new Date(arrival.atMs).toISOString().slice(11, 23);
  return `attempt ${attemptOf(arrival)} at ${at} answered ${arrival.answered || 'by a cut'}`;
}

function attemptOf({ headers }: Arrival): string | undefined {
  return headers['ipm-attempt'];
}

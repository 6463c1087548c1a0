import type { WebhookDeliveries } from '../webhook/webhook.dto.js';
import { AGE_CLASSES, ageQuantile } from './age-classes.js';
import type { TallyRow } from './delivery-figures.repository.js';

/** Five-minute tallies as one figure. */
export function summed(rows: readonly TallyRow[]): WebhookDeliveries['day'] {
  const ages = new Array<number>(AGE_CLASSES).fill(0);
  const sum = { delivered: 0, failed: 0, dead: 0 };
  for (const row of rows) {
    sum.delivered += row.delivered;
    sum.failed += row.failed;
    sum.dead += row.dead;
    row.ages.forEach((count, place) => (ages[place] = (ages[place] ?? 0) + count));
  }
  const calls = sum.delivered + sum.failed;
  const p95 = ageQuantile(ages, 0.95);
  return {
    ...sum,
    ...(calls > 0 && { success_ratio: Math.round((sum.delivered / calls) * 10_000) / 10_000 }),
    ...(p95 !== undefined && { p95_age_ms: p95 }),
  };
}

import type { Endpoints } from './endpoints.js';
import type { Random } from '../faults/support/random.js';
import type { SoakBulk } from './soak-bulk.js';
import type { SoakStage } from './soak-stage.js';

/** What a fault is done to: one at a time. */
type Target = 'postgres' | 'redis' | 'store' | 'apis' | 'workers' | 'webhooks' | 'endpoints';

/** What a fault came to. */
export interface Blow {
  /** How much it met, so that one that met nothing is seen. */
  met: number;
  /** Deliveries that may arrive once more because of it. */
  extraAtMost: number;
}

export interface Fault {
  name: string;
  target: Target;
  /** What it meets. */
  meets: string;
  /** Does it, and mends it. */
  strike: (ground: Ground) => Promise<Blow>;
}

export interface Ground {
  stage: SoakStage;
  endpoints: Endpoints;
  bulk: SoakBulk;
  random: Random;
}

/** One that may make nothing arrive once more. */
export function harmless(met = 1): Blow {
  return { met, extraAtMost: 0 };
}

import { Injectable } from '@nestjs/common';
import { RouterCursors } from '../cdc/router-cursors.service.js';
import { Database } from '../platform/database/database.js';
import type { PlainTx } from '../platform/database/transaction.js';
import type { Gap } from '../webhook/webhook-gaps.dto.js';
import { WebhookTargets, type WebhookTarget } from '../webhook/webhook-targets.service.js';
import { CatchUpRepository, type Backlog, type Lagging } from './catch-up.repository.js';
import { WORKER } from './delivery-claims.service.js';
import { DeliveryRepository } from './delivery.repository.js';
import { DueLanes } from './due-lanes.service.js';
import { EventMatching } from './event-matching.js';

const EVENTS_A_STEP = 500;

export interface CatchUpStep {
  deliveries: number;
  /** All that was worked off and is to be told of, where nothing is left. */
  caughtUp: Gap | undefined;
}

/** The next events of the oldest gap: their deliveries and the progress are one transaction. */
@Injectable()
export class CatchUpRouting {
  constructor(
    private readonly database: Database,
    private readonly repository: CatchUpRepository,
    private readonly cursors: RouterCursors,
    private readonly targets: WebhookTargets,
    private readonly deliveries: DeliveryRepository,
    private readonly due: DueLanes,
  ) {}

  /** `blocked` where the webhook is not active, `told` where nothing is left to do or tell. */
  async step(webhook: Lagging): Promise<CatchUpStep | 'blocked' | 'told'> {
    const { orgcode, lane } = webhook;
    const step = await this.database.plainAcross('delivery', async (tx) => {
      const backlog = await this.repository.lock(tx, webhook);
      if (backlog?.status !== 'active') return 'blocked';
      const target = await this.targetNow(tx, webhook);
      const [gap, ...later] = await this.gapsNow(tx, orgcode, backlog);
      if (!gap || !target) return backlog.caughtUp ? { deliveries: 0, caughtUp: backlog.caughtUp } : 'told';
      const events = await this.cursors.eventsBetween(tx, orgcode, BigInt(gap.after), BigInt(gap.to), EVENTS_A_STEP);
      const matches = new EventMatching([target]).matches(events);
      if (matches.length > 0) await this.deliveries.insert(tx, orgcode, matches, WORKER);
      const last = events.length === EVENTS_A_STEP ? events.at(-1) : undefined;
      const doneTo = last ? String(last.position) : gap.to;
      const gaps = last ? [{ after: doneTo, to: gap.to }, ...later] : later;
      const caughtUp = { after: backlog.caughtUp?.after ?? gap.after, to: doneTo };
      await this.repository.keep(tx, webhook, { gaps, caughtUp });
      if (gaps.length === 0) await this.repository.bump(tx, orgcode); // last, as everywhere
      return { deliveries: matches.length, caughtUp: gaps.length === 0 ? caughtUp : undefined };
    });
    if (typeof step === 'object' && step.deliveries > 0) this.due.note(lane, orgcode);
    return step;
  }

  /** As it is in this transaction: filters may have changed since it was paused. */
  private async targetNow(tx: PlainTx, { orgcode, lane }: Lagging): Promise<WebhookTarget | undefined> {
    const { targets } = await this.targets.ofOrganisation(orgcode, await this.targets.version(tx, orgcode), tx);
    return targets.find((target) => target.lane === lane);
  }

  /** One that keeps an order has missed everything up to this instant: what the router passes meanwhile is not sent before. */
  private async gapsNow(tx: PlainTx, orgcode: string, { ordering, gaps }: Backlog): Promise<Gap[]> {
    const [gap] = gaps;
    if (ordering === 'parallel' || gaps.length !== 1 || !gap) return gaps;
    const cursor = await this.cursors.holdAcross(tx, orgcode);
    return [{ after: gap.after, to: String(cursor) }];
  }
}

import { Injectable } from '@nestjs/common';
import { AuditService } from '../audit/audit.service.js';
import { OwnEvents } from '../cdc/own-events.service.js';
import { RouterCursors } from '../cdc/router-cursors.service.js';
import { Database } from '../platform/database/database.js';
import { WebhookSelfPauseRepository } from './webhook-self-pause.repository.js';
import type { WebhookTarget } from './webhook-targets.service.js';
import { WebhookRepository } from './webhook.repository.js';

export interface FailureFacts {
  consecutiveFailures: number;
  failingSince: Date | null;
  lastError: { error_tag: string; http_status?: number };
}

export type PauseCause = 'consecutive_failures' | 'endpoint_gone';

const REASONS: Readonly<Record<PauseCause, string>> = {
  consecutive_failures: 'IPM paused it: too many calls in a row have failed, for too long.',
  endpoint_gone: 'IPM paused it: the endpoint answered 410, which says that it wants no more.',
};

/** Pauses a webhook that nobody should go on calling, as an admin would: audited, and told in the organisation's log. */
@Injectable()
export class WebhookSelfPause {
  constructor(
    private readonly database: Database,
    private readonly repository: WebhookSelfPauseRepository,
    private readonly webhooks: WebhookRepository,
    private readonly cursors: RouterCursors,
    private readonly audit: AuditService,
    private readonly ownEvents: OwnEvents,
  ) {}

  /** False where the results are of an earlier activation, or somebody else was first. */
  async pause(target: WebhookTarget, cause: PauseCause, facts: FailureFacts): Promise<boolean> {
    const { orgcode, webhookId, activation } = target;
    const isPaused = await this.database.transaction(orgcode, async (tx) => {
      const revision = await this.repository.lockActive(tx, orgcode, webhookId, activation);
      if (revision === undefined) return false;
      const cursor = await this.cursors.hold(tx, orgcode);
      await this.repository.pause(tx, orgcode, webhookId, cursor, REASONS[cause]);
      await this.audit.recordOwnAct(tx, orgcode, 'webhook/status/set', {
        resource: { type: 'webhook', id: webhookId },
        before: { status: 'active', revision: String(revision) },
        after: { status: 'paused', revision: String(revision + 1n) },
        reason: REASONS[cause],
        requestId: `auto_pause:${webhookId}`,
      });
      await this.ownEvents.appendUnasked(tx, orgcode, REASONS[cause], [
        {
          action: 'webhook.auto_paused',
          resource: { type: 'webhook', id: webhookId },
          payload: {
            ...factsOf(target, facts),
            cause,
            paused_after_position: String(cursor),
            revision: String(revision + 1n),
          },
        },
      ]);
      await this.webhooks.bump(tx, orgcode);
      return true;
    });
    if (isPaused) this.ownEvents.announce(orgcode);
    return isPaused;
  }

  /** At half of the threshold, so that somebody may look before it is reached. */
  async warn(
    target: WebhookTarget,
    facts: FailureFacts,
    thresholds: { failures: number; after_seconds: number },
  ): Promise<void> {
    const { orgcode, webhookId } = target;
    const notBefore = (facts.failingSince ?? new Date()).getTime() + thresholds.after_seconds * 1_000;
    await this.database.transaction(orgcode, (tx) =>
      this.ownEvents.appendUnasked(tx, orgcode, 'Half of the failures that pause it.', [
        {
          action: 'webhook.auto_pause_warning',
          resource: { type: 'webhook', id: webhookId },
          payload: {
            ...factsOf(target, facts),
            auto_pause_failures: thresholds.failures,
            auto_pause_not_before: new Date(notBefore).toISOString(),
          },
        },
      ]),
    );
    this.ownEvents.announce(orgcode);
  }
}

function factsOf(
  { webhookId, endpointUrl }: WebhookTarget,
  { consecutiveFailures, failingSince, lastError }: FailureFacts,
): object {
  return {
    webhook_id: webhookId,
    endpoint_host: endpointUrl.host,
    consecutive_failures: consecutiveFailures,
    ...(failingSince && { failing_since: failingSince.toISOString() }),
    last_error: lastError,
  };
}

import { Injectable } from '@nestjs/common';
import { Configuration } from '../platform/config/configuration.js';
import { log } from '../platform/telemetry/logger.js';
import { WebhookSelfPause, type FailureFacts } from '../webhook/webhook-self-pause.service.js';
import type { WebhookTarget } from '../webhook/webhook-targets.service.js';
import { autoPauseStep } from './auto-pause.js';

interface FailureRun {
  before: number;
  failures: number;
  failingSince: Date | null;
  notedAt: Date;
}

/** Ends the calling of endpoints that are lost, and warns before. */
@Injectable()
export class AutoPause {
  constructor(
    private readonly configuration: Configuration,
    private readonly pausing: WebhookSelfPause,
  ) {}

  async judge(target: WebhookTarget, run: FailureRun, lastError: FailureFacts['lastError']): Promise<void> {
    const thresholds = target.autoPause ?? this.configuration.delivery.autoPause;
    if ('never' in thresholds) return;
    const { failures: consecutiveFailures, failingSince, notedAt, before } = run;
    const isWarned = before * 2 >= thresholds.failures;
    const step = autoPauseStep({ consecutiveFailures, failingSince, now: notedAt, isWarned }, thresholds);
    const facts = { consecutiveFailures, failingSince, lastError };
    if (step === 'warn') await this.pausing.warn(target, facts, thresholds);
    if (step === 'pause' && (await this.pausing.pause(target, 'consecutive_failures', facts)))
      said(target, 'keeps failing');
  }

  /** It answered 410. */
  async gone(target: WebhookTarget): Promise<void> {
    const facts = {
      consecutiveFailures: 1,
      failingSince: null,
      lastError: { error_tag: 'http_410', http_status: 410 },
    };
    if (await this.pausing.pause(target, 'endpoint_gone', facts)) said(target, 'says that it is gone');
  }
}

function said({ orgcode, webhookId }: WebhookTarget, what: string): void {
  log.warn({ orgcode, webhook_id: webhookId }, `a webhook is paused: its endpoint ${what}`);
}

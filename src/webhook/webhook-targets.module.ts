import { Module } from '@nestjs/common';
import { WebhookTargetRepository } from './webhook-target.repository.js';
import { WebhookTargets } from './webhook-targets.service.js';

/** Subscriptions from the side of who routes and sends. */
@Module({ providers: [WebhookTargetRepository, WebhookTargets], exports: [WebhookTargets] })
export class WebhookTargetsModule {}

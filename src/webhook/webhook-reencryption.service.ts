import { Injectable, type OnModuleInit } from '@nestjs/common';
import { OperationAdapters, type Standing } from '../operations/operation-adapters.service.js';
import {
  OperationRuns,
  type OperationFailure,
  type OperationResult,
  type RunningOperation,
} from '../operations/operation-runs.service.js';
import { Database } from '../platform/database/database.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { Keyring } from '../platform/secrets/keyring.js';
import { log } from '../platform/telemetry/logger.js';
import { WebhookSealRepository, type SealedWebhook, type WebhookSeals } from './webhook-seal.repository.js';
import { webhookSeal } from './webhook.mapper.js';

const AT_ONCE = 100;
const TYPE = 'secret_reencryption';
const FIRST: SealedWebhook = { orgcode: '', webhookId: '' };

/** Puts the secrets of webhooks under the newest key, after which the older ones may go. One by one, so that nobody waits for it. */
@Injectable()
export class WebhookReencryption implements OnModuleInit {
  constructor(
    private readonly database: Database,
    private readonly seals: WebhookSealRepository,
    private readonly runs: OperationRuns,
    private readonly adapters: OperationAdapters,
    private readonly keyring: Keyring,
    private readonly stop: GracefulStop,
  ) {}

  onModuleInit(): void {
    this.adapters.register(TYPE, ({ subject }) => Promise.resolve(this.standing(subject)));
  }

  /** Answers whether there was something to do, and it was ours. */
  async run(): Promise<boolean> {
    if ((await this.sealedOtherwise(FIRST, 1)).length === 0) return false;
    return this.runs.run({ type: TYPE, subject: this.keyring.newestKeyId, initiator: 'ipm' }, (run) => this.goOn(run));
  }

  /** A key that is newer than all of ours is another worker's to go on with; an older one is superseded. */
  private standing(keyId: string): Standing {
    if (keyId === this.keyring.newestKeyId) return { kind: 'open', work: (run) => this.goOn(run) };
    return this.keyring.knows(keyId) ? { kind: 'gone' } : { kind: 'held' };
  }

  private async goOn(run: RunningOperation): Promise<OperationResult | undefined> {
    const counts = { webhooks: 0, unreadable: 0 };
    for (let after = FIRST; ;) {
      const webhooks = await this.sealedOtherwise(after, AT_ONCE);
      for (const webhook of webhooks) {
        if (this.stop.isStopping) return undefined;
        if (await this.sealAnew(webhook)) counts.webhooks += 1;
        else counts.unreadable += 1;
      }
      await run.beat(counts);
      const last = webhooks.at(-1);
      if (!last || webhooks.length < AT_ONCE) return resultOf(counts);
      after = last;
    }
  }

  /** False where its key is not there: the others are sealed all the same. */
  private async sealAnew(webhook: SealedWebhook): Promise<boolean> {
    return this.database.transaction(webhook.orgcode, async (tx) => {
      const present = await this.seals.lock(tx, webhook);
      if (!present) return true;
      const anew = this.anew(webhook, present);
      if (anew) await this.seals.keep(tx, webhook, anew);
      return anew !== undefined;
    });
  }

  private anew(
    { orgcode, webhookId }: SealedWebhook,
    { secretSealed, previousSecretSealed, headersSealed }: WebhookSeals,
  ): WebhookSeals | undefined {
    const [secret, headers] = [
      webhookSeal(orgcode, webhookId, 'signing_secret'),
      webhookSeal(orgcode, webhookId, 'headers'),
    ];
    try {
      return {
        secretSealed: this.keyring.sealAnew(secretSealed, secret),
        previousSecretSealed: previousSecretSealed && this.keyring.sealAnew(previousSecretSealed, secret),
        headersSealed: headersSealed && this.keyring.sealAnew(headersSealed, headers),
      };
    } catch (error) {
      log.error({ err: error, orgcode, webhook_id: webhookId }, 'what is sealed of a webhook cannot be opened');
      return undefined;
    }
  }

  private sealedOtherwise(after: SealedWebhook, limit: number): Promise<SealedWebhook[]> {
    return this.database.acrossOrganisations('secret reencryption', (tx) =>
      this.seals.sealedOtherwise(tx, this.keyring.newestSeal, after, limit),
    );
  }
}

const UNREADABLE: OperationFailure = {
  code: 'secrets_unreadable',
  message:
    'Some secrets cannot be opened: their key is missing in IPM_ENCRYPTION_KEYS. The log of the workers names the webhooks.',
};

function resultOf(counts: { webhooks: number; unreadable: number }): OperationResult {
  if (counts.unreadable > 0)
    return { outcome: 'partially_succeeded', counts, message: UNREADABLE.message, failures: [UNREADABLE] };
  return { outcome: 'succeeded', counts, message: 'All secrets of webhooks are under the newest key.' };
}

import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Database } from '../platform/database/database.js';
import type { PlainTx, Statement } from '../platform/database/transaction.js';
import { Keyring } from '../platform/secrets/keyring.js';
import { log } from '../platform/telemetry/logger.js';
import { compileFilters, type CompiledFilters } from './event-filter.js';
import {
  WebhookTargetRepository,
  type StoredSet,
  type StoredTarget,
  type TargetSettings,
} from './webhook-target.repository.js';
import { webhookSeal } from './webhook.mapper.js';

export { FilteredEventView } from './event-filter.js';

/** A webhook that is not revoked, ready to be sent to. */
export interface WebhookTarget extends TargetSettings {
  orgcode: string;
  filters: CompiledFilters;
  endpointUrl: URL;
  headers: Readonly<Record<string, string>>;
  /** The current one first; the previous one while its overlap lasts. Empty where they cannot be opened: nothing may be sent. */
  readonly secrets: readonly string[];
}

/** An organisation's targets as they were together at one instant. */
export interface WebhookTargetSet {
  version: bigint;
  targets: readonly WebhookTarget[];
}

/** Of those that have webhooks: with more of them at work than are kept, each would push the others out. */
const MAX_ORGANISATIONS = 10_000;
const ORGANISATIONS_A_QUERY = 50;

/** What webhooks there are, for who routes and sends: kept in memory, and read again when an organisation's version has moved. */
@Injectable()
export class WebhookTargets {
  private readonly lanes = new Map<bigint, WebhookTarget>();
  private readonly unopened = new Set<bigint>();
  private readonly sets = new LRUCache<string, WebhookTargetSet>({
    max: MAX_ORGANISATIONS,
    dispose: ({ targets }) => {
      for (const { lane } of targets) this.lanes.delete(lane);
    },
  });

  constructor(
    private readonly database: Database,
    private readonly repository: WebhookTargetRepository,
    private readonly keyring: Keyring,
  ) {}

  /** Of the organisation's set of webhooks; 0 where there never was one. */
  version(tx: PlainTx, orgcode: string): Promise<bigint> {
    return tx.run(this.reading(orgcode));
  }

  /** The same, for who has more to read with it. */
  reading(orgcode: string): Statement<bigint> {
    return this.repository.reading(orgcode);
  }

  /** Organisations whose targets are in memory. */
  known(): string[] {
    return [...this.sets.keys()];
  }

  /** Of that version or newer. Without one, as they are now. With `tx` no second connection is asked for. */
  async ofOrganisation(orgcode: string, version?: bigint, tx?: PlainTx): Promise<WebhookTargetSet> {
    const known = this.sets.get(orgcode);
    if (known && version !== undefined && known.version >= version) return known;
    const read = (system: PlainTx): Promise<StoredSet[]> => this.repository.sets(system, [orgcode]);
    const [stored] = tx ? await read(tx) : await this.database.plainAcross('webhook targets', read);
    return stored ? this.keep(stored) : { version: 0n, targets: [] };
  }

  /** One that is not revoked, as it is now: read again only if something of its organisation has changed. */
  async current(orgcode: string, webhookId: string): Promise<WebhookTarget | undefined> {
    await this.refresh([orgcode]);
    return this.sets.get(orgcode)?.targets.find((target) => target.webhookId === webhookId);
  }

  /** Of an organisation that was asked for lately. */
  byLane(lane: bigint): WebhookTarget | undefined {
    return this.lanes.get(lane);
  }

  /** Reads those again that have changed, and those that are not known. */
  async refresh(orgcodes: readonly string[]): Promise<void> {
    if (orgcodes.length === 0) return;
    await this.database.plainAcross('webhook targets', async (tx) => {
      const versions = await this.repository.versions(tx, orgcodes);
      const now = new Map(versions.map(({ orgcode, version }) => [orgcode, version]));
      const changed = orgcodes.filter((orgcode) => {
        const known = this.sets.get(orgcode);
        return known === undefined || known.version < (now.get(orgcode) ?? 0n);
      });
      for (let i = 0; i < changed.length; i += ORGANISATIONS_A_QUERY) {
        const stored = await this.repository.sets(tx, changed.slice(i, i + ORGANISATIONS_A_QUERY));
        for (const set of stored) this.keep(set);
      }
    });
  }

  /** Unless somebody else has kept it, or a newer one, in the meantime. */
  private keep({ orgcode, version, targets }: StoredSet): WebhookTargetSet {
    const known = this.sets.get(orgcode);
    if (known && known.version >= version) return known;
    const set = { version, targets: targets.map((stored) => this.unchanged(stored) ?? this.opened(orgcode, stored)) };
    this.sets.set(orgcode, set); // forgets the lanes of the one before
    for (const target of set.targets) this.lanes.set(target.lane, target);
    return set;
  }

  /** Opening costs more than reading, and of an organisation's webhooks mostly one has changed. */
  private unchanged({ lane, rowVersion }: StoredTarget): WebhookTarget | undefined {
    const known = this.lanes.get(lane);
    return known?.rowVersion === rowVersion ? known : undefined;
  }

  private opened(orgcode: string, stored: StoredTarget): WebhookTarget {
    const { endpoint, eventFilters, sealed, ...settings } = stored;
    const { headers, secrets, previous } = this.open(orgcode, stored);
    const untilMs = sealed.previousSecretUntil?.getTime() ?? 0;
    return {
      ...settings,
      orgcode,
      filters: compileFilters(eventFilters),
      endpointUrl: new URL(endpoint),
      headers,
      get secrets() {
        return previous !== undefined && Date.now() < untilMs ? [...secrets, previous] : secrets;
      },
    };
  }

  /** A text that cannot be opened must not sink the others: its own webhook is left without a secret. */
  private open(
    orgcode: string,
    { webhookId, lane, sealed }: StoredTarget,
  ): { headers: Record<string, string>; secrets: string[]; previous: string | undefined } {
    const open = (text: string, what: Parameters<typeof webhookSeal>[2]): string =>
      this.keyring.open(text, webhookSeal(orgcode, webhookId, what));
    const { headersSealed, secretSealed, previousSecretSealed } = sealed;
    try {
      const secret = open(secretSealed, 'signing_secret');
      const headers =
        headersSealed === null ? {} : (JSON.parse(open(headersSealed, 'headers')) as Record<string, string>);
      const previous = previousSecretSealed === null ? undefined : open(previousSecretSealed, 'signing_secret');
      this.unopened.delete(lane);
      return { headers, secrets: [secret], previous };
    } catch (error) {
      if (!this.unopened.has(lane))
        log.error({ err: error, orgcode, webhook_id: webhookId }, 'what is sealed of a webhook cannot be opened');
      this.unopened.add(lane);
      return { headers: {}, secrets: [], previous: undefined };
    }
  }
}

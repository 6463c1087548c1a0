import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Keyring } from '../platform/secrets/keyring.js';
import { BuiltinCatalog } from './builtin-catalog.js';
import { CatalogRepository, type TypeName } from './catalog.repository.js';
import { CatalogService } from './catalog.service.js';
import { EventTypeCheck, type PayloadVerdict } from './event-type-check.js';
import type { ValueHash } from './redaction.js';

const MAX_ORGANISATIONS = 500;
/** Of all organisations together: a compiled schema is some 50 kB. */
const MAX_REGISTERED_TYPES = 1_000;
const NOT_IN_CATALOG: PayloadVerdict = { flags: ['not_in_catalog'], problems: [] };
const REFUSED_BY_POLICY: PayloadVerdict = { ...NOT_IN_CATALOG, problems: [{ path: 'action', tag: 'not_in_catalog' }] };

export interface CheckedPayload extends PayloadVerdict {
  /** Redacted; undefined where there is none. */
  payload: unknown;
  isRejected: boolean;
}

export interface TypedPayload extends TypeName {
  schema_version?: string | null | undefined;
  payload?: unknown;
}

/** The types of a batch of events, ready: judging them needs no waiting. */
export interface BatchChecks {
  /** Which state of the catalog they stand for. The log refuses events that were checked against an older one. */
  catalogVersion: bigint;
  check: (event: TypedPayload) => CheckedPayload;
}

interface OrgCatalog {
  version: bigint;
  rejectsUnknown: boolean;
  /** Types that the organisation registered itself: all others need no look into the database. */
  registered: ReadonlySet<string>;
  hash: ValueHash;
}

/** What events are checked against and redacted by, per organisation, in memory. */
@Injectable()
export class EventChecks {
  private readonly organisations = new LRUCache<string, OrgCatalog>({ max: MAX_ORGANISATIONS });
  private readonly registeredTypes = new LRUCache<string, EventTypeCheck>({ max: MAX_REGISTERED_TYPES });
  private readonly builtinTypes = new Map<string, EventTypeCheck>();

  constructor(
    private readonly catalog: CatalogService,
    private readonly repository: CatalogRepository,
    private readonly builtin: BuiltinCatalog,
    private readonly keyring: Keyring,
  ) {}

  /** The catalog has changed since: the next batch reads it again. */
  forget(orgcode: string): void {
    this.organisations.delete(orgcode);
  }

  /** Whether the organisation's catalog is still in that state. */
  async isCurrent(orgcode: string, catalogVersion: bigint): Promise<boolean> {
    return (await this.repository.state(orgcode)).version === catalogVersion;
  }

  async forEvents(orgcode: string, events: readonly TypedPayload[]): Promise<BatchChecks> {
    const organisation = this.organisations.get(orgcode) ?? (await this.read(orgcode));
    const types = new Map<string, EventTypeCheck | undefined>();
    for (const event of events) {
      const key = keyOf(event);
      const isRegistered = organisation.registered.has(key);
      if (!types.has(key)) {
        types.set(
          key,
          isRegistered ? await this.registeredType(orgcode, organisation, event) : this.builtinType(key, event),
        );
      }
      const type = types.get(key);
      const version = event.schema_version ?? undefined;
      if (isRegistered && version !== undefined && type?.knows(version) === false)
        type.learn(version, await this.catalog.findEffective(orgcode, event, version));
    }
    const check = (event: TypedPayload): CheckedPayload => judged(organisation, types.get(keyOf(event)), event);
    return { catalogVersion: organisation.version, check };
  }

  private async read(orgcode: string): Promise<OrgCatalog> {
    // The version first: what is registered between the two looks makes it stale, and never the other way round.
    const { version, policy } = await this.repository.state(orgcode);
    const names = await this.repository.registeredNames(orgcode);
    const read: OrgCatalog = {
      version,
      rejectsUnknown: policy === 'reject',
      registered: new Set(names.map(keyOf)),
      hash: (text) => this.keyring.keyedHash('redaction', `${orgcode}|${text}`),
    };
    this.organisations.set(orgcode, read);
    return read;
  }

  private builtinType(key: string, name: TypeName): EventTypeCheck | undefined {
    const known = this.builtinTypes.get(key);
    if (known) return known;
    const type = this.builtin.findNewest(name.service, name.action);
    if (!type) return undefined;
    const check = new EventTypeCheck(type, this.builtin.versionsOf(name.service, name.action));
    this.builtinTypes.set(key, check);
    return check;
  }

  private async registeredType(
    orgcode: string,
    { version }: OrgCatalog,
    name: TypeName,
  ): Promise<EventTypeCheck | undefined> {
    const key = `${orgcode} ${version} ${keyOf(name)}`;
    const known = this.registeredTypes.get(key);
    if (known) return known;
    const type = await this.catalog.findNewest(orgcode, name);
    if (!type) return undefined;
    const check = new EventTypeCheck(type);
    this.registeredTypes.set(key, check);
    return check;
  }
}

function judged(
  { rejectsUnknown, hash }: OrgCatalog,
  type: EventTypeCheck | undefined,
  { schema_version, payload }: TypedPayload,
): CheckedPayload {
  if (!type) return { ...(rejectsUnknown ? REFUSED_BY_POLICY : NOT_IN_CATALOG), payload, isRejected: rejectsUnknown };
  const verdict = type.judge(payload, schema_version ?? undefined);
  const isRejected = type.level === 'enforce' && verdict.flags.length > 0;
  return { ...verdict, isRejected, payload: type.redaction.apply(payload, hash) };
}

/** Not joined by a dot, which the service of an event may have too: it would pass for another type, or hide one. */
function keyOf({ service, action }: TypeName): string {
  return `${service} ${action}`;
}

import { randomBytes, randomUUID } from 'node:crypto';
import { ApiKeyRepository } from '../../src/access/api-key.repository.js';
import { OrganisationRepository } from '../../src/access/organisation.repository.js';
import { SessionRepository } from '../../src/access/session.repository.js';
import { AuditRepository, type NewAuditEvent } from '../../src/audit/audit.repository.js';
import { CatalogRepository } from '../../src/catalog/catalog.repository.js';
import type { Database } from '../../src/platform/database/database.js';
import type { PlainTx, SystemTx, Tx } from '../../src/platform/database/transaction.js';
import { IdempotencyRepository } from '../../src/platform/idempotency/idempotency.repository.js';
import { WebhookRepository, type NewWebhook, type StatusChange } from '../../src/webhook/webhook.repository.js';
import { newSettings } from '../../src/webhook/webhook-settings.js';
import { WebhookSealRepository } from '../../src/webhook/webhook-seal.repository.js';
import { WebhookTargetRepository } from '../../src/webhook/webhook-target.repository.js';
import { WebhookSelfPauseRepository } from '../../src/webhook/webhook-self-pause.repository.js';
import { backlogRepositories } from './backlog-repository-calls.js';
import { bulkRepositories } from './bulk-repository-calls.js';
import { deliveryApiRepositories } from './delivery-api-repository-calls.js';
import { deliveryRepositories } from './delivery-repository-calls.js';
import { kpiRepositories } from './kpi-repository-calls.js';
import { logRepositories } from './log-repository-calls.js';
import { operationRepositories } from './operation-repository-calls.js';
import { operatorRepositories } from './operator-repository-calls.js';
import type { Inhabitant } from './two-organisations.js';

/** What a method is called with; the handle counts as whichever kind the method asks for. */
export interface CallScene {
  db: Tx & SystemTx & PlainTx;
  of: Inhabitant;
}

export interface RepositoryCall<Repository> {
  run: (repository: Repository, scene: CallScene) => Promise<unknown>;
  /** Runs as ipm_system in the product. */
  system?: true;
  /** The organisation that is set where the call is expected to work, if not the one of the rows. */
  setFor?: string;
  /** What shows that the call works, where its answer does not. */
  shows?: (scene: CallScene) => Promise<unknown>;
  /** Answers a number over all organisations: with another one set it may count that one's own, and only those. */
  sums?: true;
}

export type CallsOf<Repository> = { [Method in keyof Repository]: RepositoryCall<Repository> };

const NEW_ORG = 'brand-new';
const record = (): { verifier: Buffer; fingerprint: string; createdBy: string } => ({
  verifier: randomBytes(32),
  fingerprint: 'f',
  createdBy: 'spec',
});
const auditEvent: NewAuditEvent = {
  eventType: 'spec',
  outcome: 'done',
  actor: 'spec',
  roles: [],
  contextSource: 'system',
  requestId: 'r',
};
const claim = { route: 'access/key/create', key: 'k', requestHash: Buffer.alloc(32), credential: 'c' };
const asDefinition = {
  schemaVersion: '2.0',
  description: undefined,
  validation: 'off',
  schema: {},
  redaction: {},
  facts: undefined,
  specimen: undefined,
} as const;

const apiKeyCalls: CallsOf<ApiKeyRepository> = {
  insert: { run: (keys, { db, of }) => keys.insert(db, of.orgcode, { ...record(), keyId: 'k', roles: ['owner'] }) },
  find: { run: (keys, { db, of }) => keys.find(db, of.orgcode, of.keyId) },
  revoke: { run: (keys, { db, of }) => keys.revoke(db, of.orgcode, of.keyId) },
  countLastingOwnerKeys: { run: (keys, { db, of }) => keys.countLastingOwnerKeys(db, of.orgcode) },
  page: { run: (keys, { of }) => keys.page(of.orgcode, undefined, undefined, 10) },
  findByVerifier: {
    system: true,
    run: async (keys, { db, of }) => keys.findByVerifier(db, await verifierOf(of, 'api_key')),
  },
  markUsed: {
    system: true,
    run: (keys, { db, of }) => keys.markUsed(db, [of]),
    shows: ({ db, of }) =>
      db.apiKey.count({ where: { orgcode: of.orgcode, keyId: of.keyId, lastUsedAt: { not: null } } }),
  },
};

const organisationCalls: CallsOf<OrganisationRepository> = {
  find: { run: (organisations, { db, of }) => organisations.find(db, of.orgcode) },
  insertIfNew: { setFor: NEW_ORG, run: (organisations, { db }) => organisations.insertIfNew(db, NEW_ORG) },
  lock: {
    run: (organisations, { db, of }) => organisations.lock(db, of.orgcode),
    // a row lock leaves its transaction in xmax
    shows: ({ db, of }) =>
      db.$queryRaw`select 1 from organisation where orgcode = ${of.orgcode} and xmax::text = pg_current_xact_id()::text`,
  },
  update: { run: (organisations, { db, of }) => organisations.update(db, of.orgcode, { caption: 'changed' }) },
  limitsOf: { system: true, run: (organisations, { db, of }) => organisations.limitsOf(db, [of.orgcode]) },
  pageOfAll: { system: true, run: (organisations, { db }) => organisations.pageOfAll(db, '', 10) },
};

const sessionCalls: CallsOf<SessionRepository> = {
  insert: {
    run: (sessions, { db, of }) =>
      sessions.insert(db, of.orgcode, {
        ...record(),
        sessionId: randomUUID(),
        actor: 'a',
        roles: [],
        expiresAt: new Date(),
      }),
  },
  findForUpdate: { run: (sessions, { db, of }) => sessions.findForUpdate(db, of.orgcode, of.sessionId) },
  close: { run: (sessions, { db, of }) => sessions.close(db, of.orgcode, of.sessionId) },
  findByVerifier: {
    system: true,
    run: async (sessions, { db, of }) => sessions.findByVerifier(db, await verifierOf(of, 'session')),
  },
  deleteEnded: { system: true, run: (sessions, { db }) => sessions.deleteEnded(db, 10) },
};

const auditCalls: CallsOf<AuditRepository> = {
  append: {
    run: (events, { db, of }) => events.append(db, of.orgcode, auditEvent),
    shows: ({ db, of }) => db.auditEvent.count({ where: { orgcode: of.orgcode, eventType: auditEvent.eventType } }),
  },
  page: { run: (events, { of }) => events.page(of.orgcode, {}, undefined, 10) },
  chainHead: { system: true, run: (events, { db, of }) => events.chainHead(db, of.orgcode) },
  checkStretch: {
    system: true,
    run: async (events, { db, of }) => (await events.checkStretch(db, of.orgcode, 0n, Buffer.alloc(0), 10)).checked,
  },
};

const catalogCalls: CallsOf<CatalogRepository> = {
  lock: {
    run: (types, { db, of }) => types.lock(db, of.orgcode), // an advisory lock, which belongs to no row
    shows: ({ db }) =>
      db.$queryRaw`select 1 from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() limit 1`,
  },
  count: { run: (types, { db, of }) => types.count(db, of.orgcode) },
  exists: {
    run: (types, { db, of }) => types.exists(db, of.orgcode, { ...of, ...asDefinition, schemaVersion: '1.0' }),
  },
  insert: {
    run: (types, { db, of }) => types.insert(db, of.orgcode, { ...of, ...asDefinition }, 'spec'),
    shows: ({ db, of }) => db.eventType.count({ where: { orgcode: of.orgcode, schemaVersion: '2.0' } }),
  },
  find: { run: (types, { db, of }) => types.find(db, of.orgcode, of, '1.0') },
  newest: { run: (types, { of }) => types.newest(of.orgcode, {}, undefined, 10) },
  state: { run: async (types, { of }) => Number((await types.state(of.orgcode)).version) },
  beginNewState: {
    run: (types, { db, of }) => types.beginNewState(db, of.orgcode),
    shows: ({ db, of }) => db.organisation.count({ where: { orgcode: of.orgcode, catalogVersion: { gt: 1 } } }),
  },
  registeredNames: { run: (types, { of }) => types.registeredNames(of.orgcode) },
  newestRedaction: { run: (types, { of }) => types.newestRedaction(of.orgcode, undefined) },
};

const idempotencyCalls: CallsOf<IdempotencyRepository> = {
  claim: { run: (keys, { db, of }) => keys.claim(db, of.orgcode, claim) },
  find: { run: (keys, { db, of }) => keys.find(db, of.orgcode, claim.route, of.idempotencyKey) },
  answerKept: {
    run: (keys, { db, of }) =>
      db.$executeRaw(keys.answerKept(of.orgcode, { ...claim, key: of.idempotencyKey }, 'changed', false)),
    shows: ({ db, of }) => db.idempotencyKey.count({ where: { orgcode: of.orgcode, answer: 'changed' } }),
  },
  deleteExpired: { system: true, run: (keys, { db }) => keys.deleteExpired(db, 10) },
};

const newWebhook: NewWebhook = {
  webhookId: 'new',
  caption: null,
  endpointUrl: 'https://example.com/',
  status: 'active',
  eventFilters: [],
  headersSealed: null,
  secretSealed: 's',
  secretLast4: 'last',
  settings: newSettings({} as never),
  requestContext: {},
  reason: 'r',
  sourceRefs: [],
};
const statusChange: StatusChange = {
  status: 'paused',
  statusRequestContext: {},
  statusReason: 'r',
  statusSourceRefs: [],
  pausedAfter: 1n,
  pausedAt: new Date(),
  gaps: [],
  activation: 1,
};

const webhookCalls: CallsOf<WebhookRepository> = {
  insert: { run: (webhooks, { db, of }) => webhooks.insert(db, of.orgcode, newWebhook) },
  read: { run: (webhooks, { of }) => webhooks.read(of.orgcode, of.webhookId) },
  find: { run: (webhooks, { db, of }) => webhooks.find(db, of.orgcode, of.webhookId) },
  findForUpdate: { run: (webhooks, { db, of }) => webhooks.findForUpdate(db, of.orgcode, of.webhookId) },
  bump: {
    run: (webhooks, { db, of }) => webhooks.bump(db, of.orgcode),
    shows: ({ db, of }) => db.webhookRoll.count({ where: { orgcode: of.orgcode, version: { gt: 2 } } }),
  },
  startAfter: {
    run: (webhooks, { db, of }) => webhooks.startAfter(db, of.orgcode, of.webhookId, 77n, 10),
    shows: ({ db, of }) => db.webhook.count({ where: { orgcode: of.orgcode, startPosition: 77n } }),
  },
  startAnew: {
    run: (webhooks, { db, of }) => webhooks.startAnew(db, of, 78n),
    shows: ({ db, of }) => db.webhook.count({ where: { orgcode: of.orgcode, startPosition: 78n } }),
  },
  changeStatus: {
    run: (webhooks, { db, of }) => webhooks.changeStatus(db, of.orgcode, of.webhookId, statusChange),
  },
  update: {
    run: (webhooks, { db, of }) =>
      webhooks.update(
        db,
        of.orgcode,
        { webhookId: of.webhookId, lane: 1n },
        { caption: 'x', endpointUrl: 'https://x/' },
      ),
  },
  page: { run: (webhooks, { of }) => webhooks.page(of.orgcode, undefined, undefined, 10) },
};

const webhookTargetCalls: CallsOf<WebhookTargetRepository> = {
  reading: { system: true, run: async (targets, { db, of }) => Number(await db.run(targets.reading(of.orgcode))) },
  versions: { system: true, run: (targets, { db, of }) => targets.versions(db, [of.orgcode]) },
  sets: {
    system: true,
    run: async (targets, { db, of }) => (await targets.sets(db, [of.orgcode])).flatMap((set) => set.targets),
  },
};

const seals = { secretSealed: 'anew', previousSecretSealed: null, headersSealed: null };

const webhookSealCalls: CallsOf<WebhookSealRepository> = {
  sealedOtherwise: {
    system: true,
    run: (webhooks, { db }) => webhooks.sealedOtherwise(db, 'v1.other.', { orgcode: '', webhookId: '' }, 10),
  },
  lock: { run: (webhooks, { db, of }) => webhooks.lock(db, of) },
  keep: {
    run: (webhooks, { db, of }) => webhooks.keep(db, of, seals),
    shows: ({ db, of }) => db.webhook.count({ where: { orgcode: of.orgcode, secretSealed: 'anew' } }),
  },
};

const selfPauseCalls: CallsOf<WebhookSelfPauseRepository> = {
  lockActive: {
    run: async (webhooks, { db, of }) => Number((await webhooks.lockActive(db, of.orgcode, of.webhookId, 1)) ?? 0n),
    // a row lock leaves its transaction in xmax
    shows: ({ db, of }) =>
      db.$queryRaw`select 1 from webhook where webhook_id = ${of.webhookId} and xmax::text = pg_current_xact_id()::text`,
  },
  pause: {
    run: (webhooks, { db, of }) => webhooks.pause(db, of.orgcode, of.webhookId, 7n, 'a spec asks for it'),
    shows: ({ db, of }) => db.webhook.count({ where: { orgcode: of.orgcode, status: 'paused', pausedAfter: 7n } }),
  },
};

export interface RepositoryUnderTest {
  make: (database: Database) => object;
  calls: Record<string, RepositoryCall<never>>;
}

/** Every repository of the product with a call of every method: a spec compares this list with the source. */
export const repositories: Record<string, RepositoryUnderTest> = {
  ApiKeyRepository: { make: (database) => new ApiKeyRepository(database), calls: apiKeyCalls },
  OrganisationRepository: { make: () => new OrganisationRepository(), calls: organisationCalls },
  WebhookRepository: { make: (database) => new WebhookRepository(database), calls: webhookCalls },
  WebhookTargetRepository: { make: () => new WebhookTargetRepository(), calls: webhookTargetCalls },
  WebhookSealRepository: { make: () => new WebhookSealRepository(), calls: webhookSealCalls },
  WebhookSelfPauseRepository: { make: () => new WebhookSelfPauseRepository(), calls: selfPauseCalls },
  SessionRepository: { make: () => new SessionRepository(), calls: sessionCalls },
  AuditRepository: { make: (database) => new AuditRepository(database), calls: auditCalls },
  CatalogRepository: { make: (database) => new CatalogRepository(database), calls: catalogCalls },
  IdempotencyRepository: { make: () => new IdempotencyRepository(), calls: idempotencyCalls },
  ...logRepositories,
  ...deliveryRepositories,
  ...deliveryApiRepositories,
  ...bulkRepositories,
  ...backlogRepositories,
  ...kpiRepositories,
  ...operationRepositories,
  ...operatorRepositories,
};

const verifiers = new Map<string, Buffer>();

/** Read past the wall while the scene is set: the methods that search by verifier must find nothing although it is right. */
export function rememberVerifier(orgcode: string, table: 'api_key' | 'session', verifier: Buffer): void {
  verifiers.set(`${orgcode}.${table}`, verifier);
}

async function verifierOf({ orgcode }: Inhabitant, table: 'api_key' | 'session'): Promise<Buffer> {
  return verifiers.get(`${orgcode}.${table}`) ?? Promise.reject(new Error('no verifier was remembered'));
}

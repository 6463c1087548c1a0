import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AuditService } from '../audit/audit.service.js';
import { Configuration } from '../platform/config/configuration.js';
import { Database } from '../platform/database/database.js';
import type { Caller } from '../platform/http/caller.js';
import { fingerprint, Keyring } from '../platform/secrets/keyring.js';
import { log } from '../platform/telemetry/logger.js';
import { organisationToWire, apiKeyToWire } from './access.mapper.js';
import { keyIdOf } from './api-key.js';
import { ApiKeyRepository } from './api-key.repository.js';
import { OrganisationRepository } from './organisation.repository.js';

/** Acts for the operator of this installation, on the command line and at start: owner of every organisation. */
export function operatorCaller(orgcode: string, call: string, actor: string): Caller {
  return {
    orgcode,
    cccode: undefined,
    actor,
    roles: ['owner'],
    contextSource: 'operator',
    fingerprint: undefined,
    call,
    requestId: randomUUID(),
    traceId: randomUUID().replaceAll('-', ''),
    idempotencyKey: undefined,
  };
}

/** Makes what a first start needs; made again, it changes nothing. */
@Injectable()
export class BootstrapService {
  constructor(
    private readonly configuration: Configuration,
    private readonly database: Database,
    private readonly organisations: OrganisationRepository,
    private readonly keys: ApiKeyRepository,
    private readonly audit: AuditService,
    private readonly keyring: Keyring,
  ) {}

  /** The organisation and owner key of the environment, if it names them. */
  async run(): Promise<void> {
    const { bootstrap } = this.configuration;
    if (!bootstrap) return;
    await this.ensureOrganisation(bootstrap.orgcode, 'bootstrap');
    if (await this.ensureOwnerKey(bootstrap.orgcode, bootstrap.apiKey))
      log.info({ orgcode: bootstrap.orgcode }, 'made the owner key of the environment');
  }

  /** True if it is new. */
  ensureOrganisation(orgcode: string, actor: string): Promise<boolean> {
    return this.database.transaction(orgcode, async (tx) => {
      if (!(await this.organisations.insertIfNew(tx, orgcode))) return false;
      const made = await this.organisations.find(tx, orgcode);
      const after = made ? organisationToWire(made) : {};
      const caller = operatorCaller(orgcode, 'access/org/create', actor);
      await this.audit.recordDone(tx, caller, {}, { resource: { type: 'organisation', id: orgcode }, after });
      return true;
    });
  }

  private async ensureOwnerKey(orgcode: string, apiKey: string): Promise<boolean> {
    const verifier = this.keyring.keyedHash('api_key.verifier', apiKey);
    const known = await this.database.acrossOrganisations('credential lookup', (tx) =>
      this.keys.findByVerifier(tx, verifier),
    );
    if (known && known.orgcode !== orgcode)
      throw new Error('IPM_BOOTSTRAP_API_KEY is a key of another organisation; choose a new one');
    if (known) return false;
    return this.database.transaction(orgcode, async (tx) => {
      await this.organisations.lock(tx, orgcode); // processes that start together make one key
      const print = fingerprint('api_key', apiKey);
      const keyId = keyIdOf(apiKey) ?? `env_${print.slice(0, 12)}`;
      if (await this.keys.find(tx, orgcode, keyId)) return false; // revoked or expired since: it stays so
      const record = await this.keys.insert(tx, orgcode, {
        keyId,
        verifier,
        fingerprint: print,
        caption: 'IPM_BOOTSTRAP_API_KEY',
        roles: ['owner'],
        createdBy: 'bootstrap',
      });
      const key = apiKeyToWire(record);
      const caller = operatorCaller(orgcode, 'access/key/create', 'bootstrap');
      await this.audit.recordDone(tx, caller, {}, { resource: { type: 'api_key', id: keyId }, after: key });
      return true;
    });
  }
}

import { Injectable } from '@nestjs/common';
import { WriteService } from '../audit/write.service.js';
import type { OwnEvent } from '../cdc/own-events.service.js';
import type { Tx } from '../platform/database/transaction.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { clampLimit, Paging, type Page } from '../platform/http/paging.js';
import { mayGrant, type Role } from '../platform/http/roles.js';
import { parseUtcTime } from '../platform/http/utc-time.js';
import { fingerprint, Keyring } from '../platform/secrets/keyring.js';
import type {
  ApiKeyCreated,
  ApiKeyCreateRequest,
  ApiKeyData,
  ApiKeyListRequest,
  ApiKeyRevokeRequest,
  ApiKeyShape,
} from './access.dto.js';
import { accessErrors } from './access.errors.js';
import { apiKeyToWire } from './access.mapper.js';
import { newApiKey } from './api-key.js';
import { apiKeyLifecycle, type ApiKeyStatus } from './api-key-lifecycle.js';
import { ApiKeyRepository, type ApiKeyRecord } from './api-key.repository.js';
import { CredentialCache } from './credential-cache.js';
import { OrganisationRepository } from './organisation.repository.js';

@Injectable()
export class ApiKeyService {
  constructor(
    private readonly writes: WriteService,
    private readonly keys: ApiKeyRepository,
    private readonly organisations: OrganisationRepository,
    private readonly keyring: Keyring,
    private readonly paging: Paging,
    private readonly credentials: CredentialCache,
  ) {}

  create(caller: Caller, request: ApiKeyCreateRequest): Promise<Answer<ApiKeyCreated>> {
    return this.writes.once(
      caller,
      request,
      async (tx) => {
        assertGrantable(caller, request.roles);
        const { keyId, apiKey } = newApiKey();
        const record = await this.keys.insert(tx, caller.orgcode, {
          keyId,
          verifier: this.keyring.keyedHash('api_key.verifier', apiKey),
          fingerprint: fingerprint('api_key', apiKey),
          caption: request.caption,
          roles: request.roles,
          expiresAt: futureTime(request.expires_at),
          createdBy: caller.actor,
        });
        const key = apiKeyToWire(record);
        const resource = { type: 'api_key', id: keyId };
        return { data: { key, api_key: apiKey }, audit: { resource, after: key }, events: [keyCreated(key)] };
      },
      { secretAnswer: true },
    );
  }

  async list({ orgcode }: Caller, request: ApiKeyListRequest): Promise<Page<ApiKeyShape>> {
    const limit = clampLimit(request.limit);
    const scope = { orgcode, list: 'access/key/list', filters: { status: request.status } };
    const [createdAt, keyId] = this.paging.positionAfter(request.next_token, scope) ?? [];
    const after = createdAt === undefined ? undefined : { createdAt: new Date(createdAt), keyId: String(keyId) };
    const rows = await this.keys.page(orgcode, request.status, after, limit + 1);
    const position = (key: ApiKeyRecord): [string, string] => [key.createdAt.toISOString(), key.keyId];
    return this.paging.page(rows, limit, scope, { position, item: apiKeyToWire });
  }

  async revoke(caller: Caller, request: ApiKeyRevokeRequest): Promise<Answer<ApiKeyData>> {
    const answer = await this.writes.once(caller, request, async (tx) => {
      await this.organisations.lock(tx, caller.orgcode);
      const current = await this.keys.find(tx, caller.orgcode, request.key_id);
      if (!current) throw new AppError(accessErrors.keyNotFound);
      apiKeyLifecycle.assertStep(current.status as ApiKeyStatus, 'revoked');
      const revoked = await this.keys.revoke(tx, caller.orgcode, request.key_id);
      if (await this.lostItsOwners(tx, caller.orgcode, current)) throw new AppError(accessErrors.lastOwnerKey);
      const key = apiKeyToWire(revoked);
      const audit = { resource: { type: 'api_key', id: key.key_id }, before: apiKeyToWire(current), after: key };
      return { data: { key }, revision: key.revision, audit, events: [keyRevoked(key)] };
    });
    this.credentials.forget(answer.data.key.fingerprint);
    return answer;
  }

  private async lostItsOwners(tx: Tx, orgcode: string, key: ApiKeyRecord): Promise<boolean> {
    const wasLasting = key.roles.includes('owner') && key.expiresAt === null;
    return wasLasting && (await this.keys.countLastingOwnerKeys(tx, orgcode)) === 0;
  }
}

function keyCreated({ key_id, roles, expires_at }: ApiKeyShape): OwnEvent {
  const payload = { key_id, roles, ...(expires_at ? { expires_at } : {}) };
  return { action: 'access.key_created', resource: { type: 'api_key', id: key_id }, payload };
}

function keyRevoked({ key_id, roles, last_used_at }: ApiKeyShape): OwnEvent {
  const payload = { key_id, roles, ...(last_used_at ? { last_used_at } : {}) };
  return { action: 'access.key_revoked', resource: { type: 'api_key', id: key_id }, payload };
}

export function assertGrantable(caller: Caller, roles: readonly Role[]): void {
  const beyond = roles.filter((role) => !mayGrant(caller.roles, role));
  if (beyond.length > 0) throw new AppError(accessErrors.roleNotGrantable, { details: { roles: beyond } });
}

function futureTime(text: string | undefined): Date | undefined {
  const time = text === undefined ? undefined : parseUtcTime(text);
  if (time !== undefined && time.getTime() <= Date.now()) throw new AppError(accessErrors.expiryInPast);
  return time;
}

import { Body, Controller } from '@nestjs/common';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { Operation } from '../platform/http/operation.js';
import type { Page } from '../platform/http/paging.js';
import { CurrentCaller } from '../platform/http/request-scope.js';
import {
  ApiKeyCreated,
  ApiKeyCreateRequest,
  ApiKeyData,
  ApiKeyList,
  ApiKeyListRequest,
  ApiKeyRevokeRequest,
  OrganisationData,
  OrganisationGetRequest,
  OrganisationSetRequest,
  SessionCloseRequest,
  SessionData,
  SessionOpened,
  SessionOpenRequest,
  type ApiKeyShape,
} from './access.dto.js';
import { ApiKeyService } from './api-key.service.js';
import { OrganisationService } from './organisation.service.js';
import { SessionService } from './session.service.js';

const ours = { role: 'owner', extension: true } as const;

@Controller('access')
export class AccessController {
  constructor(
    private readonly keys: ApiKeyService,
    private readonly sessions: SessionService,
    private readonly organisations: OrganisationService,
  ) {}

  @Operation('key/create', {
    ...ours,
    write: true,
    secretAnswer: true,
    data: ApiKeyCreated,
    summary: 'Make an API key; it is shown once',
  })
  createKey(@CurrentCaller() caller: Caller, @Body() request: ApiKeyCreateRequest): Promise<Answer<ApiKeyCreated>> {
    return this.keys.create(caller, request);
  }

  @Operation('key/list', { ...ours, data: ApiKeyList, summary: 'List API keys, newest first' })
  listKeys(@CurrentCaller() caller: Caller, @Body() request: ApiKeyListRequest): Promise<Page<ApiKeyShape>> {
    return this.keys.list(caller, request);
  }

  @Operation('key/revoke', { ...ours, write: true, data: ApiKeyData, summary: 'Revoke an API key for good' })
  revokeKey(@CurrentCaller() caller: Caller, @Body() request: ApiKeyRevokeRequest): Promise<Answer<ApiKeyData>> {
    return this.keys.revoke(caller, request);
  }

  @Operation('session/open', {
    ...ours,
    write: true,
    secretAnswer: true,
    data: SessionOpened,
    summary: 'Open a session; its GUID is shown once',
  })
  openSession(@CurrentCaller() caller: Caller, @Body() request: SessionOpenRequest): Promise<Answer<SessionOpened>> {
    return this.sessions.open(caller, request);
  }

  @Operation('session/close', { ...ours, write: true, data: SessionData, summary: 'Close a session' })
  closeSession(@CurrentCaller() caller: Caller, @Body() request: SessionCloseRequest): Promise<Answer<SessionData>> {
    return this.sessions.close(caller, request);
  }

  @Operation('org/get', { ...ours, data: OrganisationData, summary: 'Get the organisation and its settings' })
  async getOrganisation(
    @CurrentCaller() caller: Caller,
    @Body() _request: OrganisationGetRequest,
  ): Promise<OrganisationData> {
    return { org: await this.organisations.get(caller.orgcode) };
  }

  @Operation('org/set', {
    ...ours,
    write: true,
    revisionOf: OrganisationService,
    data: OrganisationData,
    summary: 'Change settings of the organisation',
  })
  setOrganisation(
    @CurrentCaller() caller: Caller,
    @Body() request: OrganisationSetRequest,
  ): Promise<Answer<OrganisationData>> {
    return this.organisations.set(caller, request);
  }
}

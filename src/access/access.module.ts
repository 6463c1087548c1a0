import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { Authenticator } from '../platform/http/authentication.hook.js';
import { AccessAuthenticator } from './access-authenticator.js';
import { ApiKeyRepository } from './api-key.repository.js';
import { ApiKeyService } from './api-key.service.js';
import { ApiKeyUsage } from './api-key-usage.js';
import { BootstrapService } from './bootstrap.service.js';
import { CredentialCache } from './credential-cache.js';
import { CredentialVerifier } from './credential-verifier.js';
import { IdentityServices } from './identity-services.js';
import { OrganisationRepository } from './organisation.repository.js';
import { OrganisationService } from './organisation.service.js';
import { SessionRepository } from './session.repository.js';
import { SessionSweep } from './session.sweep.js';
import { SessionService } from './session.service.js';

/** Who may do what: keys, sessions, tokens, organisations. */
@Module({
  imports: [AuditModule],
  providers: [
    ApiKeyRepository,
    ApiKeyService,
    ApiKeyUsage,
    BootstrapService,
    CredentialCache,
    CredentialVerifier,
    IdentityServices,
    OrganisationRepository,
    OrganisationService,
    SessionRepository,
    SessionSweep,
    SessionService,
    { provide: Authenticator, useClass: AccessAuthenticator },
  ],
  exports: [ApiKeyService, Authenticator, BootstrapService, OrganisationService, SessionService],
})
export class AccessModule {}

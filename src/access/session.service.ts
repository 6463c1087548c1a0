import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { WriteService } from '../audit/write.service.js';
import { Configuration } from '../platform/config/configuration.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { fingerprint, Keyring } from '../platform/secrets/keyring.js';
import type { SessionCloseRequest, SessionData, SessionOpened, SessionOpenRequest } from './access.dto.js';
import { accessErrors } from './access.errors.js';
import { sessionToWire } from './access.mapper.js';
import { assertGrantable } from './api-key.service.js';
import { CredentialCache } from './credential-cache.js';
import { sessionLifecycle, type SessionStatus } from './session-lifecycle.js';
import { SessionRepository } from './session.repository.js';

const DEFAULT_LIFETIME_SECONDS = 8 * 3600;

@Injectable()
export class SessionService {
  constructor(
    private readonly writes: WriteService,
    private readonly sessions: SessionRepository,
    private readonly keyring: Keyring,
    private readonly credentials: CredentialCache,
    private readonly configuration: Configuration,
  ) {}

  open(caller: Caller, request: SessionOpenRequest): Promise<Answer<SessionOpened>> {
    return this.writes.once(
      caller,
      request,
      async (tx) => {
        this.assertOurs();
        assertGrantable(caller, request.roles);
        const sessionGuid = randomUUID();
        const lifetimeSeconds = request.lifetime_seconds ?? DEFAULT_LIFETIME_SECONDS;
        const record = await this.sessions.insert(tx, caller.orgcode, {
          sessionId: randomUUID(),
          verifier: this.keyring.keyedHash('session.verifier', sessionGuid),
          fingerprint: fingerprint('session', sessionGuid),
          actor: request.actor,
          roles: request.roles,
          expiresAt: new Date(Date.now() + lifetimeSeconds * 1000),
          createdBy: caller.actor,
        });
        const session = sessionToWire(record);
        const audit = { resource: { type: 'session', id: session.session_id }, after: session };
        return { data: { session, session_guid: sessionGuid }, audit };
      },
      { secretAnswer: true },
    );
  }

  async close(caller: Caller, request: SessionCloseRequest): Promise<Answer<SessionData>> {
    const answer = await this.writes.once(caller, request, async (tx) => {
      this.assertOurs();
      const current = await this.sessions.findForUpdate(tx, caller.orgcode, request.session_id);
      if (!current) throw new AppError(accessErrors.sessionNotFound);
      sessionLifecycle.assertStep(current.status as SessionStatus, 'closed');
      const session = sessionToWire(await this.sessions.close(tx, caller.orgcode, request.session_id));
      const audit = {
        resource: { type: 'session', id: session.session_id },
        before: sessionToWire(current),
        after: session,
      };
      return { data: { session }, audit };
    });
    this.credentials.forget(answer.data.session.fingerprint);
    return answer;
  }

  private assertOurs(): void {
    if (this.configuration.identity.introspectionUrl !== undefined) throw new AppError(accessErrors.sessionsElsewhere);
  }
}

import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import { platformErrors } from '../errors/platform.errors.js';
import { RateLimiter } from '../rate-limit/rate-limiter.js';
import { CallRate } from './call-rate.js';
import type { Caller, Principal } from './caller.js';
import type { OperationConfig, OperationOptions } from './operation.js';
import { mayCall } from './roles.js';

/** Verifies credentials; room `access` is the one that does. */
export abstract class Authenticator {
  /** Throws `credential_invalid` for whatever is wrong with the credential. */
  abstract authenticate(request: FastifyRequest): Promise<Principal>;
}

/** Keeps what was refused for lack of a role; room `audit` is the one that does. */
export abstract class RefusalRecorder {
  abstract refused(caller: Caller, error: AppError): Promise<void>;
}

/** A credential without the role spends none of its organisation's calls, but cannot fill the audit either. */
const AUDITED_REFUSALS_PER_MIN = 60;

const CODE = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * The way in, before a stranger's body is parsed: who calls (401), for which organisation (400, 404), may they (403), how
 * often (429). A route without an operation is no route of the product and gets no caller; the guard then refuses it.
 */
@Injectable()
export class AuthenticationHook {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly refusals: RefusalRecorder,
    private readonly limiter: RateLimiter,
    private readonly rate: CallRate,
  ) {}

  async onRequest(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { operation } = request.routeOptions.config as Partial<OperationConfig>;
    if (!operation || operation.role === 'anyone') return;
    const principal = await this.authenticator.authenticate(request);
    const caller = callerOf(request, principal);
    await this.assertRole(caller, operation);
    await this.rate.spend(reply, caller.orgcode, principal, operation.rateClass ?? 'caller');
    request.caller = caller;
  }

  /** Once more, for an answer that goes on: a key may be revoked, a session closed, a role lost while it is read. */
  async mayGoOn(request: FastifyRequest): Promise<boolean> {
    const { caller, routeOptions } = request;
    const { operation } = routeOptions.config as Partial<OperationConfig>;
    if (!caller || !operation || operation.role === 'anyone') return false;
    try {
      const { rolesByOrg } = await this.authenticator.authenticate(request);
      return mayCall(rolesByOrg.get(caller.orgcode) ?? [], operation.role);
    } catch {
      return false;
    }
  }

  private async assertRole(caller: Caller, { role }: OperationOptions): Promise<void> {
    if (role !== 'anyone' && mayCall(caller.roles, role)) return;
    const refusal = new AppError(platformErrors.roleRequired, { details: { required_role: role } });
    const { allowed } = await this.limiter.take({
      name: `${caller.orgcode}:refusal`,
      perMinute: AUDITED_REFUSALS_PER_MIN,
    });
    if (allowed) await this.refusals.refused(caller, refusal);
    throw refusal;
  }
}

function callerOf(request: FastifyRequest, principal: Principal): Caller {
  const { headers, requestIdentity } = request;
  const orgcode = codeIn(headers['x-orgcode'], platformErrors.orgcodeInvalid);
  if (orgcode === undefined) throw new AppError(platformErrors.orgcodeRequired);
  const cccode = codeIn(headers['x-cccode'], platformErrors.cccodeInvalid);
  const roles = principal.rolesByOrg.get(orgcode);
  if (roles === undefined) throw new AppError(platformErrors.orgNotFound);
  const idempotencyKey = headers['idempotency-key'];
  return {
    orgcode,
    cccode,
    actor: principal.actor,
    roles,
    contextSource: principal.contextSource,
    fingerprint: principal.fingerprint,
    call: requestIdentity.call,
    requestId: requestIdentity.requestId,
    traceId: requestIdentity.trace.traceId,
    traceparent: requestIdentity.trace.kept,
    idempotencyKey: typeof idempotencyKey === 'string' ? idempotencyKey : undefined,
  };
}

/** Node joins a repeated header with a comma, which no code contains: a repeated header is invalid by its form. */
function codeIn(
  header: string | string[] | undefined,
  failure: typeof platformErrors.orgcodeInvalid,
): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || !CODE.test(header)) throw new AppError(failure);
  return header;
}

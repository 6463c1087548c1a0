import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import { platformErrors } from '../errors/platform.errors.js';
import { FailedLogins } from '../rate-limit/failed-logins.js';
import { Authenticator } from './authentication.hook.js';
import { CallRate } from './call-rate.js';
import type { OperatorCaller, Principal } from './caller.js';
import { OperatorKey } from './operator-key.js';
import type { OperatorRoom } from './operator-room.js';
import type { OperatorRouteConfig } from './operator-route.js';
import { mayCall, type RequiredRole } from './roles.js';

const CREDENTIAL_HEADERS = ['x-api-key', 'x-session-guid', 'authorization'] as const;

/**
 * The way into the rooms beside /ipm, before a stranger's body is parsed. An operator shows X-API-Key, which opens these rooms and
 * nothing else. Where a room lets members in, they come with the credential that they have for /ipm.
 */
@Injectable()
export class OperatorDoor {
  /** A barred address hears nothing of whether it has guessed right; who came in before may go on. */
  private hasOpened = false;

  constructor(
    private readonly authenticator: Authenticator,
    private readonly key: OperatorKey,
    private readonly failedLogins: FailedLogins,
    private readonly rate: CallRate,
  ) {}

  async onRequest(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { operatorRoute } = request.routeOptions.config as Partial<OperatorRouteConfig>;
    if (!operatorRoute) return;
    const { membersWith } = operatorRoute.room;
    if (this.opens(request)) {
      await this.rate.spendOfOperators(reply);
      request.operator = this.operatorIn(request);
    } else if (membersWith) request.operator = await this.member(request, reply, operatorRoute.room, membersWith);
    else return this.refuse(request, operatorRoute.room);
  }

  private opens({ headers, ip }: FastifyRequest): boolean {
    const given = headers['x-api-key'];
    const isKey = this.key.is(typeof given === 'string' ? given : '');
    if (!isKey || credentialsIn({ headers }).length > 1) return false;
    if (!this.hasOpened) this.failedLogins.assertMayTry(ip);
    this.hasOpened = true;
    return true;
  }

  private operatorIn(request: FastifyRequest): OperatorCaller {
    return {
      ...placeOf(request),
      orgcode: undefined,
      actor: 'operator',
      roles: ['owner'],
      contextSource: 'operator',
      fingerprint: this.key.fingerprint,
    };
  }

  private async member(
    request: FastifyRequest,
    reply: FastifyReply,
    room: OperatorRoom,
    role: RequiredRole,
  ): Promise<OperatorCaller> {
    const principal = await this.principalOf(request, room);
    const orgcode = organisationOf(principal, role, request.headers['x-orgcode']);
    if (orgcode === undefined) throw new AppError(room.wrongCredential);
    await this.rate.spend(reply, orgcode, principal, 'caller');
    const { actor, contextSource, fingerprint, rolesByOrg } = principal;
    return { ...placeOf(request), orgcode, actor, roles: rolesByOrg.get(orgcode) ?? [], contextSource, fingerprint };
  }

  private async principalOf(request: FastifyRequest, room: OperatorRoom): Promise<Principal> {
    try {
      return await this.authenticator.authenticate(request);
    } catch (error) {
      const isWrong = error instanceof AppError && error.failure === platformErrors.credentialInvalid;
      throw isWrong ? this.refusalOf(request, room) : error;
    }
  }

  private async refuse(request: FastifyRequest, room: OperatorRoom): Promise<never> {
    this.failedLogins.assertMayTry(request.ip);
    await this.failedLogins.count(request.ip);
    throw this.refusalOf(request, room);
  }

  /** Where there is no key of operators, one that was tried is as good as none. */
  private refusalOf(request: FastifyRequest, room: OperatorRoom): AppError {
    const given = credentialsIn(request);
    const tried = this.key.isSet ? given : given.filter((name) => name !== 'x-api-key');
    return new AppError(tried.length === 0 ? platformErrors.credentialInvalid : room.wrongCredential);
  }
}

function credentialsIn({ headers }: Pick<FastifyRequest, 'headers'>): string[] {
  return CREDENTIAL_HEADERS.filter((name) => headers[name] !== undefined);
}

function placeOf({
  headers,
  requestIdentity,
}: FastifyRequest): Pick<
  OperatorCaller,
  'call' | 'requestId' | 'traceId' | 'traceparent' | 'idempotencyKey' | 'cccode'
> {
  const idempotencyKey = headers['idempotency-key'];
  return {
    cccode: undefined,
    call: requestIdentity.call,
    requestId: requestIdentity.requestId,
    traceId: requestIdentity.trace.traceId,
    traceparent: requestIdentity.trace.kept,
    idempotencyKey: typeof idempotencyKey === 'string' ? idempotencyKey : undefined,
  };
}

/** The one that the header names, or the only one there is; undefined where the principal may not do this. */
function organisationOf({ rolesByOrg }: Principal, role: RequiredRole, named: unknown): string | undefined {
  const theirs = [...rolesByOrg].flatMap(([orgcode, roles]) => (mayCall(roles, role) ? [orgcode] : []));
  if (named !== undefined) return theirs.find((orgcode) => orgcode === named);
  if (theirs.length > 1) throw new AppError(platformErrors.orgcodeRequired);
  return theirs[0];
}

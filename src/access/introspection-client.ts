import { Pool } from 'undici';
import { AppError } from '../platform/errors/app-error.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import { isRole, type Role } from '../platform/http/roles.js';
import { isActor, type VouchedIdentity } from './vouched-identity.js';

const TIMEOUT_MS = 1_000;
const MAX_ANSWER_BYTES = 64 * 1024;
const CODE = /^[A-Za-z0-9_-]{1,64}$/;

interface IntrospectionAnswer {
  active?: unknown;
  actor?: unknown;
  orgs?: unknown;
  expires_at?: unknown;
}

/** Asks the identity service that the operator configured: one origin, no redirects, bounded, and closed when it fails. */
export class IntrospectionClient {
  private readonly pool: Pool;
  private readonly path: string;

  constructor(url: string) {
    const { origin, pathname, search } = new URL(url);
    this.path = pathname + search;
    this.pool = new Pool(origin, {
      connections: 16,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      connectTimeout: TIMEOUT_MS,
    });
  }

  async introspect(sessionGuid: string, traceparent: string): Promise<VouchedIdentity | undefined> {
    let answer: IntrospectionAnswer;
    try {
      answer = await this.ask(sessionGuid, traceparent);
    } catch (error) {
      throw new AppError(platformErrors.identityUnavailable, { cause: error });
    }
    return identityOf(answer);
  }

  close(): Promise<void> {
    return this.pool.close();
  }

  private async ask(sessionGuid: string, traceparent: string): Promise<IntrospectionAnswer> {
    const { statusCode, body } = await this.pool.request({
      path: this.path,
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', traceparent },
      body: JSON.stringify({ session_guid: sessionGuid }),
      signal: AbortSignal.timeout(TIMEOUT_MS), // the pool's own timeouts start again with each byte
    });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) throw new Error('the identity service answered more than 64 KiB');
      chunks.push(chunk);
    }
    if (statusCode !== 200) throw new Error(`the identity service answered ${statusCode}`);
    const answer: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    if (typeof answer !== 'object' || answer === null) throw new Error('the identity service answered no JSON object');
    return answer;
  }
}

function identityOf({ active, actor, orgs, expires_at }: IntrospectionAnswer): VouchedIdentity | undefined {
  if (active !== true || !isActor(actor)) return undefined;
  const endsAtMs = typeof expires_at === 'string' ? Date.parse(expires_at) : NaN;
  return {
    actor,
    rolesByOrg: membershipsIn(orgs),
    expiresAtMs: Number.isNaN(endsAtMs) ? Infinity : endsAtMs,
  };
}

function membershipsIn(orgs: unknown): Map<string, Role[]> {
  const memberships = new Map<string, Role[]>();
  for (const org of Array.isArray(orgs) ? (orgs as { orgcode?: unknown; roles?: unknown }[]) : []) {
    if (typeof org?.orgcode !== 'string' || !CODE.test(org.orgcode) || !Array.isArray(org.roles)) continue;
    memberships.set(
      org.orgcode,
      org.roles.filter((role): role is Role => typeof role === 'string' && isRole(role)),
    );
  }
  return memberships;
}

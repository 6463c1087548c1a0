import { Injectable } from '@nestjs/common';
import type { Session } from '../generated/prisma/client.js';
import type { SystemTx, Tx } from '../platform/database/transaction.js';
import type { Role } from '../platform/http/roles.js';

export type SessionRecord = Omit<Session, 'verifier'>;

export interface NewSessionRecord {
  sessionId: string;
  verifier: Buffer;
  fingerprint: string;
  actor: string;
  roles: Role[];
  expiresAt: Date;
  createdBy: string;
}

export interface VerifiedSession {
  orgcode: string;
  actor: string;
  fingerprint: string;
  roles: Role[];
  expiresAt: Date;
  limits: Record<string, number>;
}

const WITHOUT_VERIFIER = { verifier: true } as const;

@Injectable()
export class SessionRepository {
  insert(tx: Tx, orgcode: string, session: NewSessionRecord): Promise<SessionRecord> {
    return tx.session.create({
      data: { ...session, orgcode, verifier: new Uint8Array(session.verifier) },
      omit: WITHOUT_VERIFIER,
    });
  }

  /** Locked, so that of two closers one closes. */
  async findForUpdate(tx: Tx, orgcode: string, sessionId: string): Promise<SessionRecord | null> {
    await tx.$queryRaw`select 1 from session where orgcode = ${orgcode} and session_id = ${sessionId}::uuid for update`;
    return tx.session.findUnique({ where: { orgcode_sessionId: { orgcode, sessionId } }, omit: WITHOUT_VERIFIER });
  }

  close(tx: Tx, orgcode: string, sessionId: string): Promise<SessionRecord> {
    const where = { orgcode_sessionId: { orgcode, sessionId } };
    return tx.session.update({ where, data: { status: 'closed', closedAt: new Date() }, omit: WITHOUT_VERIFIER });
  }

  async findByVerifier(tx: SystemTx, verifier: Buffer): Promise<VerifiedSession | undefined> {
    const [session] = await tx.$queryRaw<VerifiedSession[]>`
      select s.orgcode, s.actor, s.fingerprint, s.roles, s.expires_at as "expiresAt", o.limits
      from session s join organisation o using (orgcode)
      where s.verifier = ${verifier} and s.status = 'open' and s.expires_at > now()`;
    return session;
  }

  /** Sessions that ended a month ago; the audit keeps what they did. */
  async deleteEnded(tx: SystemTx, limit: number): Promise<number> {
    return tx.$executeRaw`
      delete from session where ctid = any(array(
        select ctid from session where expires_at < now() - interval '30 days' order by expires_at limit ${limit} for update skip locked))`;
  }
}

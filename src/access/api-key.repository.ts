import { Injectable } from '@nestjs/common';
import { Prisma, type ApiKey } from '../generated/prisma/client.js';
import { Database } from '../platform/database/database.js';
import type { Db, SystemTx, Tx } from '../platform/database/transaction.js';
import type { Role } from '../platform/http/roles.js';
import type { ApiKeyStatus } from './api-key-lifecycle.js';

export type ApiKeyRecord = Omit<ApiKey, 'verifier'>;

export interface NewApiKeyRecord {
  keyId: string;
  verifier: Buffer;
  fingerprint: string;
  caption?: string | undefined;
  roles: Role[];
  expiresAt?: Date | undefined;
  createdBy: string;
}

/** What a credential check needs to know, and nothing more. */
export interface VerifiedKey {
  orgcode: string;
  keyId: string;
  fingerprint: string;
  roles: Role[];
  expiresAt: Date | null;
  limits: Record<string, number>;
}

const WITHOUT_VERIFIER = { verifier: true } as const;

@Injectable()
export class ApiKeyRepository {
  constructor(private readonly database: Database) {}

  insert(tx: Tx, orgcode: string, key: NewApiKeyRecord): Promise<ApiKeyRecord> {
    return tx.apiKey.create({
      data: { ...key, orgcode, verifier: new Uint8Array(key.verifier) },
      omit: WITHOUT_VERIFIER,
    });
  }

  find(db: Db, orgcode: string, keyId: string): Promise<ApiKeyRecord | null> {
    return db.apiKey.findUnique({ where: { orgcode_keyId: { orgcode, keyId } }, omit: WITHOUT_VERIFIER });
  }

  revoke(tx: Tx, orgcode: string, keyId: string): Promise<ApiKeyRecord> {
    const now = new Date();
    return tx.apiKey.update({
      where: { orgcode_keyId: { orgcode, keyId } },
      data: { status: 'revoked', revokedAt: now, updatedAt: now, revision: { increment: 1 } },
      omit: WITHOUT_VERIFIER,
    });
  }

  /** Owner keys that never expire; the organisation row must be locked, or two revocations could each count the other's key. */
  countLastingOwnerKeys(tx: Tx, orgcode: string): Promise<number> {
    return tx.apiKey.count({ where: { orgcode, status: 'active', expiresAt: null, roles: { has: 'owner' } } });
  }

  page(
    orgcode: string,
    status: ApiKeyStatus | undefined,
    after: { createdAt: Date; keyId: string } | undefined,
    limit: number,
  ): Promise<ApiKeyRecord[]> {
    const ofStatus = status === undefined ? Prisma.empty : Prisma.sql`and status = ${status}`;
    // Newest first with ascending ids: a row comparison cannot mix directions.
    const afterRow = after
      ? Prisma.sql`and (created_at < ${after.createdAt} or (created_at = ${after.createdAt} and key_id > ${after.keyId}))`
      : Prisma.empty;
    return this.database.rows<ApiKeyRecord>(
      orgcode,
      Prisma.sql`
        select orgcode, key_id as "keyId", fingerprint, caption, roles, status, expires_at as "expiresAt", last_used_at as "lastUsedAt",
          revoked_at as "revokedAt", created_by as "createdBy", created_at as "createdAt", updated_at as "updatedAt", revision
        from api_key where orgcode = ${orgcode} ${ofStatus} ${afterRow}
        order by created_at desc, key_id limit ${limit}`,
    );
  }

  async findByVerifier(tx: SystemTx, verifier: Buffer): Promise<VerifiedKey | undefined> {
    const [key] = await tx.$queryRaw<VerifiedKey[]>`
      select k.orgcode, k.key_id as "keyId", k.fingerprint, k.roles, k.expires_at as "expiresAt", o.limits
      from api_key k join organisation o using (orgcode)
      where k.verifier = ${verifier} and k.status = 'active' and (k.expires_at is null or k.expires_at > now())`;
    return key;
  }

  /** To the minute, so that a busy key costs a write a minute and not one per call. */
  async markUsed(tx: SystemTx, keys: readonly { orgcode: string; keyId: string }[]): Promise<void> {
    await tx.$executeRaw`
      update api_key k set last_used_at = date_trunc('minute', now())
      from unnest(${keys.map((key) => key.orgcode)}::text[], ${keys.map((key) => key.keyId)}::text[]) as used(orgcode, key_id)
      where k.orgcode = used.orgcode and k.key_id = used.key_id and k.last_used_at is distinct from date_trunc('minute', now())`;
  }
}

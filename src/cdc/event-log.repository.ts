import { Injectable } from '@nestjs/common';
import { Prisma } from '../generated/prisma/client.js';
import { binaryTextArray } from '../platform/database/binary-array.js';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/transaction.js';

/** An event as the log takes it: what it is found by, and the stored envelope as JSON text. */
export interface LogEntry {
  eventId: string;
  /** RFC 3339 in UTC to the microsecond: with the id, what makes two events the same one. */
  occurredAt: string;
  service: string;
  action: string;
  logicalGuid: string | null;
  channelCode: string | null;
  envelope: string;
}

export interface Appended {
  position: bigint;
  duplicate: boolean;
  /** Young enough to be pushed to webhooks. */
  pushed: boolean;
}

export interface AppendOptions {
  /** The state of the catalog that the entries were checked against; null for what is not checked. */
  catalogVersion: bigint | null;
  maxPushAgeSeconds: number;
}

/** The writing end of the log: one SQL function, whoever calls it (migration: ipm_append). */
@Injectable()
export class EventLogRepository {
  constructor(private readonly database: Database) {}

  /** A transaction of its own. Empty where the catalog is another by now. No two entries may be the same event. */
  append(orgcode: string, entries: readonly LogEntry[], options: AppendOptions): Promise<Appended[]> {
    return this.database.call<Appended & { n: bigint }>(orgcode, {
      name: 'ipm_append',
      call: 'ipm_append(o.orgcode, $2, make_interval(secs => $3), $4::text[], $5::text[]::timestamptz[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])',
      values: [options.catalogVersion, options.maxPushAgeSeconds, ...entryColumns(entries).map(binaryTextArray)],
    });
  }

  /** As the last statement of a transaction: the organisation's lock is held from here to the commit. */
  appendWithin(tx: Tx, orgcode: string, entries: readonly LogEntry[], options: AppendOptions): Promise<Appended[]> {
    const [ids, times, services, actions, guids, channels, envelopes] = entryColumns(entries);
    return tx.$queryRaw(Prisma.sql`
      select n, position, duplicate, pushed from ipm_append(${orgcode}, ${options.catalogVersion}::bigint,
        make_interval(secs => ${options.maxPushAgeSeconds}), ${ids}::text[], ${times}::timestamptz[], ${services}::text[],
        ${actions}::text[], ${guids}::text[], ${channels}::text[], ${envelopes}::text[])`);
  }
}

type Columns = [string[], string[], string[], string[], (string | null)[], (string | null)[], string[]];

export function entryColumns(entries: readonly LogEntry[]): Columns {
  return [
    entries.map(({ eventId }) => eventId),
    entries.map(({ occurredAt }) => occurredAt),
    entries.map(({ service }) => service),
    entries.map(({ action }) => action),
    entries.map(({ logicalGuid }) => logicalGuid),
    entries.map(({ channelCode }) => channelCode),
    entries.map(({ envelope }) => envelope),
  ];
}

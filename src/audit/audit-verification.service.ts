import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { AuditRepository } from './audit.repository.js';

const STRETCH = 5_000;

export interface ChainReport {
  orgcode: string;
  intact: boolean;
  checked: number;
  /** Kept somewhere else, it proves later that the chain was not rewritten as a whole. */
  headSeq: string;
  headHash: string;
  /** The first event that is not what was written, and why. */
  brokenSeq?: string;
  problem?: string;
}

/** Recomputes an organisation's chain from its first event to the head. */
@Injectable()
export class AuditVerification {
  constructor(
    private readonly database: Database,
    private readonly events: AuditRepository,
  ) {}

  async verify(orgcode: string, progress: (checked: number) => void = () => undefined): Promise<ChainReport> {
    const head = await this.head(orgcode);
    let seq = 0n;
    let hash: Uint8Array = Buffer.alloc(0);
    let checked = 0;
    for (;;) {
      const stretch = await this.database.acrossOrganisations('audit verification', (tx) =>
        this.events.checkStretch(tx, orgcode, seq, hash, STRETCH),
      );
      checked += stretch.checked;
      progress(checked);
      const reached = {
        orgcode,
        checked,
        headSeq: String(stretch.lastSeq),
        headHash: Buffer.from(stretch.lastHash).toString('hex'),
      };
      if (stretch.brokenSeq !== null) {
        return {
          ...reached,
          intact: false,
          brokenSeq: String(stretch.brokenSeq),
          problem: 'this event or the one before it was changed or removed',
        };
      }
      ({ lastSeq: seq, lastHash: hash } = stretch);
      if (stretch.checked < STRETCH) return againstHeads(reached, head, await this.head(orgcode));
    }
  }

  private head(orgcode: string): Promise<ChainHead> {
    return this.database.acrossOrganisations('audit verification', (tx) => this.events.chainHead(tx, orgcode));
  }
}

type ChainHead = Awaited<ReturnType<AuditRepository['chainHead']>>;

/**
 * Events written while we checked are beyond the head that we read first; events cut off at the end are missing before it.
 * A head read afterwards has moved on at least as far as we came.
 */
function againstHeads(reached: Omit<ChainReport, 'intact'>, head: ChainHead, headAfterwards: ChainHead): ChainReport {
  const headSeq = head?.seq ?? 0n;
  if ((headAfterwards?.seq ?? 0n) < BigInt(reached.headSeq)) {
    const brokenSeq = String((headAfterwards?.seq ?? 0n) + 1n);
    return { ...reached, intact: false, brokenSeq, problem: 'the chain goes on beyond its head' };
  }
  const cutOff = BigInt(reached.headSeq) < headSeq;
  const rewritten =
    BigInt(reached.headSeq) === headSeq && head !== null && Buffer.from(head.hash).toString('hex') !== reached.headHash;
  if (!cutOff && !rewritten) return { ...reached, intact: true };
  const problem = cutOff
    ? `the chain has a head at ${headSeq} but ends at ${reached.headSeq}: events were removed`
    : 'the chain does not end in its head';
  return { ...reached, intact: false, brokenSeq: String(BigInt(reached.headSeq) + (cutOff ? 1n : 0n)), problem };
}

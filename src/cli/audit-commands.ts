import type { Command } from 'commander';
import { OrganisationService } from '../access/organisation.service.js';
import { AuditRepository } from '../audit/audit.repository.js';
import { AuditVerification, type ChainReport } from '../audit/audit-verification.service.js';
import { allOrganisations } from './org-commands.js';
import { withServices, type Services } from './operator.js';
import { examples, orgOption, whenRun } from './options.js';
import { hideProgress, showProgress, table, type CommandResult } from './output.js';

interface VerifiedChain extends ChainReport {
  /** What the first broken event says of itself; it may be a lie. */
  brokenEvent?: { event_type: string; actor: string; recorded_at: string; resource?: string };
}

export function addAuditCommands(audit: Command): void {
  const verify = audit
    .command('verify')
    .description('recompute the hash chain of the audit events and name the first that was changed or removed')
    .addOption(orgOption('only this organisation (default: all)', { mandatory: false }))
    .addHelpText(
      'after',
      `${examples('$ ipm audit verify', '$ ipm audit verify --org acme --json')}

Head hashes kept somewhere else prove later that a chain was not rewritten as a whole.`,
    );
  whenRun(verify, verifyChains);
}

async function verifyChains({ org }: { org?: string }): Promise<CommandResult> {
  const chains = await withServices(async (services) => {
    const verified: VerifiedChain[] = [];
    for (const orgcode of await orgcodesToVerify(services, org)) verified.push(await verifyChain(services, orgcode));
    return verified;
  });
  const broken = chains.filter((chain) => !chain.intact);
  const document = { intact: broken.length === 0, chains: chains.map(toDocument) };
  return {
    document,
    text: [chainTable(chains), '', ...conclusion(chains, broken)].join('\n'),
    exitCode: broken.length === 0 ? 0 : 1,
  };
}

async function orgcodesToVerify(services: Services, org: string | undefined): Promise<string[]> {
  const organisations = services.get(OrganisationService);
  if (org === undefined) return (await allOrganisations(organisations)).map(({ orgcode }) => orgcode);
  return [(await organisations.get(org)).orgcode];
}

async function verifyChain(services: Services, orgcode: string): Promise<VerifiedChain> {
  const report = await services
    .get(AuditVerification)
    .verify(orgcode, (checked) => showProgress(`${orgcode}: ${checked} events checked`));
  hideProgress();
  // The making of an organisation is its first event, so there is no organisation without one.
  if (report.intact && report.checked === 0) {
    return {
      ...report,
      intact: false,
      brokenSeq: '1',
      problem: 'the organisation has no events at all: they were removed',
    };
  }
  return report.brokenSeq === undefined
    ? report
    : { ...report, ...(await brokenEvent(services, orgcode, BigInt(report.brokenSeq))) };
}

async function brokenEvent(
  services: Services,
  orgcode: string,
  seq: bigint,
): Promise<Pick<VerifiedChain, 'brokenEvent'>> {
  const [row] = await services.get(AuditRepository).page(orgcode, {}, seq + 1n, 1);
  if (row?.seq !== seq) return {};
  const resource = row.resource_type === null ? {} : { resource: `${row.resource_type} ${row.resource_id}` };
  return {
    brokenEvent: {
      event_type: row.event_type,
      actor: row.actor,
      recorded_at: row.recorded_at.toISOString(),
      ...resource,
    },
  };
}

function toDocument({
  orgcode,
  intact,
  checked,
  headSeq,
  headHash,
  brokenSeq,
  problem,
  brokenEvent: event,
}: VerifiedChain): object {
  return {
    orgcode,
    intact,
    checked,
    head_seq: headSeq,
    head_hash: headHash,
    broken_seq: brokenSeq,
    problem,
    broken_event: event,
  };
}

function chainTable(chains: readonly VerifiedChain[]): string {
  const rows = chains.map(({ orgcode, checked, intact, headHash }) => [
    orgcode,
    String(checked),
    intact ? 'intact' : 'BROKEN',
    intact ? headHash : '',
  ]);
  return table(['ORGANISATION', 'EVENTS', 'CHAIN', 'HEAD HASH'], rows);
}

function conclusion(chains: readonly VerifiedChain[], broken: readonly VerifiedChain[]): string[] {
  if (broken.length === 0) return [`${chains.length} chain(s) checked, all intact.`];
  return broken.map(({ orgcode, brokenSeq, problem, brokenEvent: event }) => {
    const what = event ? ` (${event.event_type} by ${event.actor} at ${event.recorded_at})` : '';
    return `${orgcode}: broken at event ${brokenSeq}${what}: ${problem}.`;
  });
}

import { InvalidArgumentError, Option, type Command } from 'commander';
import { CATALOG_POLICIES, OrganisationSetRequest, WEEK_STARTS, type OrganisationShape } from '../access/access.dto.js';
import {
  LIMIT_CLASSES,
  OrganisationService,
  type LimitChanges,
  type LimitClass,
} from '../access/organisation.service.js';
import { CommandFailure, EXIT } from './failure.js';
import { operator, withServices, writeRequest } from './operator.js';
import { examples, parseOrgcode, reasonOption, whenRun } from './options.js';
import { facts, table, type CommandResult } from './output.js';

const ORGANISATIONS_A_PAGE = 500;
const HIGHEST_LIMIT = 100_000_000;

interface SetOptions {
  caption?: string;
  timeZone?: string;
  weekStart?: string;
  catalogPolicy?: string;
  limit?: LimitChanges;
  reason: string;
}

export function addOrgCommands(orgs: Command): void {
  const list = orgs.command('list').description('list all organisations');
  list.addHelpText('after', examples('$ ipm org list', '$ ipm org list --json | jq -r .items[].orgcode'));
  whenRun(list, listOrganisations);
  const get = orgs
    .command('get')
    .description('show an organisation and its settings')
    .argument('<orgcode>', 'which', parseOrgcode);
  get.addHelpText('after', examples('$ ipm org get acme'));
  whenRun(get, getOrganisation);
  whenRun(addSettings(orgs.command('set')), setOrganisation);
}

function addSettings(set: Command): Command {
  return set
    .description('change settings of an organisation; what is not given stays')
    .argument('<orgcode>', 'which', parseOrgcode)
    .option('--caption <text>', 'what people call it')
    .option('--time-zone <name>', 'name of the IANA time zone database, such as Europe/Berlin')
    .addOption(new Option('--week-start <day>', 'first day of the week in reports').choices(WEEK_STARTS))
    .addOption(
      new Option('--catalog-policy <policy>', 'what happens to events of types that the catalog does not list').choices(
        CATALOG_POLICIES,
      ),
    )
    .option(
      '--limit <class=number>',
      `calls a minute for a class (${LIMIT_CLASSES.join(', ')}); class=default for the installation's; may be given more than once`,
      collectLimits,
    )
    .addOption(reasonOption())
    .addHelpText(
      'after',
      examples(
        '$ ipm org set acme --caption "Acme Ltd" --time-zone Europe/Berlin',
        '$ ipm org set acme --limit key=6000 --limit feed=default',
      ),
    );
}

function collectLimits(text: string, earlier: LimitChanges = {}): LimitChanges {
  const [name = '', number = ''] = text.split('=');
  if (!LIMIT_CLASSES.includes(name as LimitClass)) {
    throw new InvalidArgumentError(`A limit is class=number; the classes are ${LIMIT_CLASSES.join(', ')}.`);
  }
  if (number === 'default') return { ...earlier, [name]: 'default' };
  const perMinute = /^\d{1,9}$/.test(number) ? Number(number) : 0;
  if (perMinute < 1 || perMinute > HIGHEST_LIMIT) {
    throw new InvalidArgumentError(`A limit is an integer from 1 to ${HIGHEST_LIMIT} or the word default.`);
  }
  return { ...earlier, [name]: perMinute };
}

async function listOrganisations(): Promise<CommandResult> {
  const items = await withServices((services) => allOrganisations(services.get(OrganisationService)));
  const rows = items.map((org) => [org.orgcode, String(org.org_id), org.caption, org.time_zone, org.created_at]);
  const text =
    items.length === 0
      ? 'There is no organisation yet: ipm key create --org CODE --role owner makes one.'
      : table(['ORGCODE', 'ID', 'CAPTION', 'TIME ZONE', 'CREATED'], rows);
  return { document: { items }, text };
}

export async function allOrganisations(organisations: OrganisationService): Promise<OrganisationShape[]> {
  const found: OrganisationShape[] = [];
  for (;;) {
    const page = await organisations.pageOfAll(found.at(-1)?.orgcode ?? '', ORGANISATIONS_A_PAGE);
    found.push(...page);
    if (page.length < ORGANISATIONS_A_PAGE) return found;
  }
}

async function getOrganisation(_options: object, orgcode = ''): Promise<CommandResult> {
  return shown(await withServices((services) => services.get(OrganisationService).get(orgcode)));
}

async function setOrganisation(options: SetOptions, orgcode = ''): Promise<CommandResult> {
  const { caption, timeZone: time_zone, weekStart: week_start, catalogPolicy: catalog_policy, limit, reason } = options;
  const settings = { caption, time_zone, week_start, catalog_policy };
  if (limit === undefined && Object.values(settings).every((value) => value === undefined)) {
    throw new CommandFailure(
      EXIT.wrongUsage,
      'wrong_usage',
      'Nothing to change was given; ipm org set --help shows the settings.',
    );
  }
  return withServices(async (services) => {
    const organisations = services.get(OrganisationService);
    const { revision: expected_revision } = await organisations.get(orgcode);
    const caller = operator(orgcode, 'access/org/set');
    const request = writeRequest(OrganisationSetRequest, caller, reason, { ...settings, expected_revision });
    const { data } = await organisations.setAsOperator(caller, request, limit ?? {});
    return shown(data.org);
  });
}

function shown(org: OrganisationShape): CommandResult {
  const limits = Object.entries(org.limits).map(([name, perMinute]) => `${name}=${perMinute}`);
  const text = facts([
    ['Organisation', org.orgcode],
    ['Number', String(org.org_id)],
    ['Caption', org.caption],
    ['Time zone', org.time_zone],
    ['Week starts', org.week_start],
    ['Unlisted types', org.catalog_policy],
    ['Calls a minute', limits.length === 0 ? 'as the installation' : limits.join(' ')],
    ['Created', org.created_at],
    ['Changed', org.updated_at],
    ['Revision', org.revision],
  ]);
  return { document: org, text };
}

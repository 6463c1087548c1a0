import type { Command } from 'commander';
import type { ApiKeyShape } from '../access/access.dto.js';
import { ApiKeyCreateRequest, ApiKeyRevokeRequest } from '../access/access.dto.js';
import { ApiKeyService } from '../access/api-key.service.js';
import { BootstrapService } from '../access/bootstrap.service.js';
import { OrganisationService } from '../access/organisation.service.js';
import { MAX_LIMIT } from '../platform/http/paging.js';
import type { Role } from '../platform/http/roles.js';
import { operator, withServices, writeRequest } from './operator.js';
import { collectRoles, examples, orgOption, parseFutureTime, reasonOption, ROLE_NAMES, whenRun } from './options.js';
import { facts, table, type CommandResult } from './output.js';

interface CreateOptions {
  org: string;
  role: Role[];
  caption?: string;
  expires?: string;
  reason: string;
}

export function addKeyCommands(keys: Command): void {
  const create = keys
    .command('create')
    .description('make an API key, and its organisation if that is new; the key is shown this once')
    .addOption(orgOption('whose key it is'))
    .requiredOption('--role <role>', `what it may do: ${ROLE_NAMES}; may be given more than once`, collectRoles)
    .option('--caption <text>', 'what it is for')
    .option('--expires <time>', 'when it ends, such as 2027-01-31T00:00:00Z (default: never)', parseFutureTime)
    .addOption(reasonOption())
    .addHelpText(
      'after',
      examples(
        '$ ipm key create --org acme --role owner',
        '$ ipm key create --org acme --role service --caption "order feed" --expires 2027-01-31T00:00:00Z',
        '$ KEY=$(ipm key create --org acme --role admin --json | jq -r .api_key)',
      ),
    );
  whenRun(create, createKey);
  const list = keys
    .command('list')
    .description('list the API keys of an organisation, newest first; the keys themselves are not kept')
    .addOption(orgOption('whose keys'))
    .addHelpText(
      'after',
      examples('$ ipm key list --org acme', '$ ipm key list --org acme --json | jq .items[].key_id'),
    );
  whenRun(list, listKeys);
  const revoke = keys
    .command('revoke')
    .description('revoke an API key for good')
    .argument('<key-id>', 'as ipm key list shows it')
    .addOption(orgOption('whose key it is'))
    .addOption(reasonOption())
    .addHelpText('after', examples('$ ipm key revoke --org acme 8fKq2LmXw0Za --reason "left the company"'));
  whenRun(revoke, revokeKey);
}

async function createKey({ org, role, caption, expires, reason }: CreateOptions): Promise<CommandResult> {
  const caller = operator(org, 'access/key/create');
  const fields = { roles: role, caption, expires_at: expires };
  const request = writeRequest(ApiKeyCreateRequest, caller, reason, fields);
  return withServices(async (services) => {
    const isNew = await services.get(BootstrapService).ensureOrganisation(org, caller.actor);
    const { data } = await services.get(ApiKeyService).create(caller, request);
    const document = { api_key: data.api_key, orgcode: org, organisation_created: isNew, ...data.key };
    const text = facts([
      ['API key', data.api_key],
      ['Key id', data.key.key_id],
      ['Organisation', isNew ? `${org} (new)` : org],
      ['Roles', data.key.roles.join(', ')],
      ['Caption', data.key.caption],
      ['Expires', data.key.expires_at ?? 'never'],
    ]);
    return { document, text: `${text}\n\nKeep the key: it is not shown again.` };
  });
}

async function listKeys({ org }: { org: string }): Promise<CommandResult> {
  const items = await withServices(async (services) => {
    await services.get(OrganisationService).get(org);
    const caller = operator(org, 'access/key/list');
    const found: ApiKeyShape[] = [];
    let next_token: object | undefined;
    do {
      const page = await services
        .get(ApiKeyService)
        .list(caller, { limit: MAX_LIMIT, ...(next_token && { next_token }) });
      found.push(...page.items);
      ({ next_token } = page);
    } while (next_token);
    return found;
  });
  const rows = items.map((key) => [
    key.key_id,
    key.status,
    key.roles.join(','),
    key.caption,
    key.expires_at,
    key.last_used_at,
    key.created_at,
    key.created_by,
  ]);
  const headings = ['KEY ID', 'STATUS', 'ROLES', 'CAPTION', 'EXPIRES', 'LAST USED', 'CREATED', 'BY'];
  return { document: { items }, text: items.length === 0 ? `${org} has no API keys.` : table(headings, rows) };
}

async function revokeKey({ org, reason }: { org: string; reason: string }, keyId = ''): Promise<CommandResult> {
  const caller = operator(org, 'access/key/revoke');
  const request = writeRequest(ApiKeyRevokeRequest, caller, reason, { key_id: keyId });
  return withServices(async (services) => {
    await services.get(OrganisationService).get(org);
    const { data } = await services.get(ApiKeyService).revoke(caller, request);
    const text = `The API key ${keyId} of ${org} is revoked; running processes refuse it within seconds.`;
    return { document: data.key, text };
  });
}

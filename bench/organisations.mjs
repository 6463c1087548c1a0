// Makes organisations, and a key in each: orgcodes and the role of the keys on stdin, keys by orgcode on stdout. Runs with the environment of
// the server that they are for.
import { text } from 'node:stream/consumers';
import { ApiKeyService } from '../dist/access/api-key.service.js';
import { BootstrapService } from '../dist/access/bootstrap.service.js';
import { operator, withServices } from '../dist/cli/operator.js';

const { orgcodes, role } = JSON.parse(await text(process.stdin));
const keys = await withServices(async (services) => {
  const made = [];
  for (const orgcode of orgcodes) {
    const caller = operator(orgcode, 'access/key/create');
    await services.get(BootstrapService).ensureOrganisation(orgcode, caller.actor);
    const request = { roles: [role], reason: 'measuring', source_refs: [] };
    const { data } = await services.get(ApiKeyService).create(caller, request);
    made.push([orgcode, data.api_key]);
  }
  return made;
});
process.stdout.write(JSON.stringify(Object.fromEntries(keys)));
process.exit();

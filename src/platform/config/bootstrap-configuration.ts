import type { EnvironmentReader } from './environment-reader.js';

/** The organisation and its owner key that a first start makes. */
export interface Bootstrap {
  orgcode: string;
  apiKey: string;
}

export function readBootstrap(read: EnvironmentReader): Bootstrap | undefined {
  const orgcode = read.text('IPM_BOOTSTRAP_ORGCODE');
  const apiKey = read.secret('IPM_BOOTSTRAP_API_KEY', 32);
  if (orgcode !== undefined && !/^[A-Za-z0-9_-]{1,64}$/.test(orgcode)) {
    read.problem('IPM_BOOTSTRAP_ORGCODE', 'must be 1 to 64 of letters, digits, _ and -');
  }
  if ((orgcode === undefined) !== (apiKey === undefined)) {
    read.problem('IPM_BOOTSTRAP_ORGCODE', 'and IPM_BOOTSTRAP_API_KEY go together: set both or neither');
  }
  return orgcode !== undefined && apiKey !== undefined ? { orgcode, apiKey } : undefined;
}

/** One key for operators and an owner would let the owner of one organisation see all of them. */
export function readOperatorKey(read: EnvironmentReader, bootstrap: Bootstrap | undefined): string | undefined {
  const operatorKey = read.secret('API_KEY', 32);
  if (operatorKey !== undefined && operatorKey === bootstrap?.apiKey)
    read.problem('API_KEY', 'must differ from IPM_BOOTSTRAP_API_KEY');
  return operatorKey;
}

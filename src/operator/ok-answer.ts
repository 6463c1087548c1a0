import { operatorSafe } from './operator-redaction.js';

/** The envelope of document 002. What is in it has gone through the policy of what operators may see. */
export function okAnswer<Data>(data: Data): { ok: true; data: Data } {
  return { ok: true, data: operatorSafe(data) };
}

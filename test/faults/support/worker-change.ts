import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Settings } from './delivery-stage.js';

export type WorkerChange =
  | 'checkpoint-first'
  | 'asks-for-no-fence'
  | 'dies-before-the-end'
  | 'dies-of-poison'
  | 'forgets-activations'
  | 'has-all-the-time'
  | 'leaves-at-once'
  | 'keeps-what-it-has'
  | 'looks-nowhere'
  | 'an-hour-ahead'
  | 'an-hour-behind'
  | 'other-names'
  | 'reports-what-is-left'
  | 'shares-nothing-out'
  | 'stands-still'
  | 'trusts-addresses'
  | 'trusts-its-clock';

/** Settings of a worker that is the built product and differs from it in these things. */
export function changed(...changes: WorkerChange[]): Settings {
  const files = changes.map((change) => path.resolve('test/faults/support/worker-changes', `${change}.mjs`));
  return { NODE_OPTIONS: files.map((file) => `--import=${pathToFileURL(file).href}`).join(' ') };
}

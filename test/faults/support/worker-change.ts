import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Settings } from './delivery-stage.js';

export type WorkerChange =
  | 'checkpoint-first'
  | 'dies-of-poison'
  | 'forgets-activations'
  | 'leaves-at-once'
  | 'keeps-what-it-has'
  | 'looks-nowhere'
  | 'an-hour-ahead'
  | 'an-hour-behind'
  | 'other-names'
  | 'shares-nothing-out'
  | 'trusts-its-clock';

/** Settings of a worker that is the built product and differs from it in one thing. */
export function changed(change: WorkerChange): Settings {
  const file = path.resolve('test/faults/support/worker-changes', `${change}.mjs`);
  return { NODE_OPTIONS: `--import=${pathToFileURL(file).href}` };
}

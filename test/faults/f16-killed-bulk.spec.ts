import { BulkStage } from './support/bulk-stage.js';
import { killedExport, killedImport } from './support/killed-bulk.js';
import { expectNothingWrong, tell } from './support/trial.js';
import { changed } from './support/worker-change.js';

jest.setTimeout(15 * 60_000);

const IMPORT = { file: { lines: 60_000, bad: 1_500 }, kills: 20, afterMs: [0, 1_500], endsWithinMs: 120_000 } as const;
const EXPORT = {
  file: { lines: 25_000, bad: 0, filling: 6_000 },
  kills: 10,
  afterMs: [0, 900],
  endsWithinMs: 120_000,
} as const;

describe('F16: the worker of an import or an export is killed with -9 again and again', () => {
  let stage: BulkStage;
  beforeEach(async () => (stage = await BulkStage.open()));
  afterEach(() => stage.close());

  it('puts each line into the log once, and the report names the bad ones', async () => {
    await stage.slowSteps(0.2);
    const outcome = await killedImport(stage, IMPORT);
    tell('F16', outcome);
    expectNothingWrong(outcome);
  });

  it('sabotaged, the checkpoint is written before the events: turns red', async () => {
    await stage.slowSteps(0.2);
    const settings = changed('checkpoint-first');
    const outcome = await killedImport(stage, { ...IMPORT, kills: 8, afterMs: [0, 60], settings });
    tell('F16 sabotaged', outcome);
    expect(outcome.complaints).toContainEqual(expect.stringMatching(/^lost: /));
  });

  it('writes the feed into the file, line by line, and leaves no part in the store', async () => {
    const outcome = await killedExport(stage, EXPORT);
    tell('F16, an export', outcome);
    expectNothingWrong(outcome);
  });
});

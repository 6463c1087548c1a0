import { BulkStage } from '../faults/support/bulk-stage.js';
import { killedAtTheEnd, killedExport, killedImport } from '../faults/support/killed-bulk.js';
import { expectNothingWrong } from '../faults/support/trial.js';
import { changed } from '../faults/support/worker-change.js';

jest.setTimeout(120_000);

const IMPORT = { file: { lines: 4_000, bad: 80 }, kills: 2, afterMs: [0, 400], endsWithinMs: 40_000 } as const;
const EXPORT = {
  file: { lines: 5_000, bad: 0, filling: 6_000 },
  kills: 2,
  afterMs: [0, 300],
  endsWithinMs: 40_000,
} as const;

/** F16 in short; the long form is in test/faults. */
describe('a worker that is killed with -9', () => {
  let stage: BulkStage;
  beforeEach(async () => (stage = await BulkStage.open()));
  afterEach(() => stage.close());

  it('in the middle of an import leaves behind what another goes on with: each line once, each bad one named', async () => {
    await stage.slowSteps(0.15);
    const outcome = await killedImport(stage, IMPORT);
    expectNothingWrong(outcome);
    expect(outcome.figures).toMatchObject({ kills: 2 });
  });

  it('sabotaged, the checkpoint is written before the events: turns red', async () => {
    await stage.slowSteps(0.15);
    const settings = changed('checkpoint-first');
    const { complaints } = await killedImport(stage, { ...IMPORT, kills: 3, afterMs: [0, 60], settings });
    expect(complaints).toContainEqual(expect.stringMatching(/^lost: /));
  });

  it('in the middle of an export leaves behind what another goes on with: the file is the feed, and no part is left over', async () => {
    const outcome = await killedExport(stage, EXPORT);
    expectNothingWrong(outcome);
    expect(outcome.figures).toMatchObject({ kills: 2 });
  });

  it('between the completion of a file and the end of its job leaves a file behind that is not written again', async () => {
    expectNothingWrong(await killedAtTheEnd(stage, EXPORT));
  });
});

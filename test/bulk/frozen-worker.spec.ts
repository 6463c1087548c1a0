import { BulkStage } from '../faults/support/bulk-stage.js';
import { frozenExport, frozenImport } from '../faults/support/frozen-bulk.js';
import { expectNothingWrong } from '../faults/support/trial.js';

jest.setTimeout(120_000);

describe('a worker that stands still (SIGSTOP) for longer than the lease of its job, and goes on', () => {
  let stage: BulkStage;
  beforeEach(async () => (stage = await BulkStage.open()));
  afterEach(() => stage.close());

  it('writes no line of an import that another is at', async () => {
    const outcome = await frozenImport(stage, { at: 'step', goesOn: 'taken over' });
    expectNothingWrong(outcome);
    expect(outcome.figures).toMatchObject({ fence: 2 });
  });

  it('ends no import that another has ended', async () => {
    expectNothingWrong(await frozenImport(stage, { at: 'step', goesOn: 'ended' }));
  });

  it('sabotaged, it does not ask whose the job is: turns red', async () => {
    const { complaints } = await frozenImport(stage, { at: 'step', goesOn: 'ended', sabotage: 'asks-for-no-fence' });
    expect(complaints).toContainEqual('told: 2 events say that it is completed');
  });

  it('leaves the report of another alone', async () => {
    expectNothingWrong(await frozenImport(stage, { at: 'report', goesOn: 'ended' }));
  });

  it('sabotaged, it reports whatever lines are left: turns red', async () => {
    const { complaints } = await frozenImport(stage, {
      at: 'report',
      goesOn: 'ended',
      sabotage: 'reports-what-is-left',
    });
    expect(complaints).toContainEqual(expect.stringMatching(/^report: /));
  });

  it('spoils no file of another, neither with a part of its own nor by completing it', async () => {
    expectNothingWrong(await frozenExport(stage, { at: 'part', goesOn: 'taken over' }));
    expect(stage.workers.at(-1)?.output).toMatch(/object [^ ]+ is another by now/); // and the file was begun anew
  });

  it('leaves a file alone that another has completed', async () => {
    expectNothingWrong(await frozenExport(stage, { at: 'completion', goesOn: 'ended' }));
  });
});

import path from 'node:path';
import { accountForPostgres } from '../../src/local/server-account.js';
import { BulkStage } from './support/bulk-stage.js';
import { fullDisk } from './support/full-disk.js';
import { OwnPostgres, ServerFolder } from './support/own-postgres.js';
import { SmallDisk } from './support/small-disk.js';
import { expectNothingWrong, tell } from './support/trial.js';
import { changed } from './support/worker-change.js';

jest.setTimeout(5 * 60_000);

const LONG = {
  file: { lines: 30_000, bad: 300, filling: 600 },
  fullForMs: 8_000,
  growsToMb: 512,
  endsWithinMs: 120_000,
} as const;
const SMALL_MB = 12;

/** The log is on a disk of 12 MB; the rest of Postgres has room, so that it is the log that fails. Mounting one takes root. */
describe('F13: the disk of Postgres is full', () => {
  let place: ServerFolder;
  let postgres: OwnPostgres;
  let disk: SmallDisk;
  let stage: BulkStage;
  beforeEach(async () => {
    place = new ServerFolder();
    postgres = await OwnPostgres.start(place);
    disk = SmallDisk.mount(path.join(place.folder, 'small-disk'), SMALL_MB, accountForPostgres(''));
    const { asOwner } = postgres.database;
    await asOwner(`create tablespace small_disk location '${disk.folder}'`);
    const [{ name }] = (await asOwner<{ name: string }>(
      'select name from event_partition order by from_position limit 1',
    )) as [{ name: string }];
    await asOwner(`alter table "${name}" set tablespace small_disk`);
    stage = await BulkStage.open({}, postgres.database);
  });
  afterEach(async () => {
    await stage.close();
    await postgres.stop();
    disk.unmount();
    await place.clear();
  });

  it('loses nothing that was acknowledged, says 503 to the others, and the import goes on when there is room', async () => {
    const outcome = await fullDisk(stage, disk, LONG);
    tell('F13', outcome);
    expectNothingWrong(outcome);
    expect(outcome.figures.refused).toBeGreaterThan(10);
    expect(outcome.figures.linesBefore).toBeLessThan(outcome.figures.lines);
  });

  it('sabotaged, the checkpoint is written before the events: turns red', async () => {
    const outcome = await fullDisk(stage, disk, { ...LONG, settings: changed('checkpoint-first') });
    tell('F13 sabotaged', outcome);
    expect(outcome.complaints).toContainEqual(expect.stringMatching(/^lost: /));
  });
});

import { soak } from './soak.js';
import { reportText, writeReport } from './soak-report.js';
import { soakSettings } from './soak-settings.js';
import { SoakStage } from './soak-stage.js';

const settings = soakSettings();
const AROUND_IT_MS = 10 * 60_000;

jest.setTimeout(settings.minutes * 60_000 + AROUND_IT_MS);

describe('F21: faults drawn by chance, one after the other and at once, under load', () => {
  let stage: SoakStage;
  beforeEach(async () => (stage = await SoakStage.open()));
  afterEach(() => stage.close());

  it('loses nothing, doubles nothing, alters nothing, and comes to rest', async () => {
    const report = await soak(stage, settings);
    process.stderr.write(`\n${reportText(report)}\n`);
    if (settings.reportFile !== undefined) writeReport(report, settings.reportFile);
    expect(report.complaints).toEqual([]);
  });
});

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { TestApi } from '../support/api.js';
import { linesOf } from '../support/bulk-scene.js';
import { anEvent } from '../support/events.js';
import { ipmOn, type Ran } from './ipm.js';

jest.setTimeout(60_000);

describe('ipm import and ipm export', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'ipm-bulk-'));
  let api: TestApi;
  let ipm: (...args: string[]) => Promise<Ran>;
  let orgcode: string;

  beforeAll(async () => {
    const shared = { IPM_DATA_DIR: path.join(folder, 'data') };
    api = await TestApi.start(shared);
    ipm = ipmOn(api.database.url, shared);
  });
  afterAll(() => api.close());
  beforeEach(async () => (orgcode = await api.anOrg()));

  const aFile = (name: string, bytes: string | Buffer): string => {
    const file = path.join(folder, name);
    writeFileSync(file, bytes);
    return file;
  };
  const idsIn = (text: string): unknown[] =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { event_id: string }).event_id);
  const someEvents = (count: number): Record<string, unknown>[] => Array.from({ length: count }, () => anEvent());

  it('bring a packed file into the log and out of it again', async () => {
    const events = someEvents(1_500);
    const file = aFile('events.ndjson.gz', gzipSync(linesOf(events)));
    const imported = await ipm('import', file, '--org', orgcode, '--json');
    expect(imported).toMatchObject({ exitCode: 0, stderr: '' });
    expect(imported.document).toMatchObject({
      orgcode,
      job: { status: 'completed', output: { line_count: 1_500, processed_count: 1_500 } },
      refusals: [],
    });
    const output = path.join(folder, 'out.ndjson.gz');
    const exported = await ipm('export', '--org', orgcode, '--service', 'pos', '--gzip', '-o', output, '--json');
    expect(exported).toMatchObject({ exitCode: 0, document: { records: 1_500, file: output } });
    expect(idsIn(gunzipSync(readFileSync(output)).toString())).toEqual(events.map(({ event_id }) => event_id));
  });

  it('name the lines that were refused, and end with 1', async () => {
    const file = aFile('bad.ndjson', linesOf([...someEvents(2), 'no json', { ...anEvent(), service: 7 }]));
    const { exitCode, stdout } = await ipm('import', file, '--org', orgcode);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/Processed +2\nRefused +2\n/);
    expect(stdout).toContain('line 3: event_unreadable');
    expect(stdout).toContain('line 4: event_invalid: service');
  });

  it('write no more events than asked for, also to standard output', async () => {
    const events = someEvents(30);
    await ipm('import', aFile('thirty.ndjson', linesOf(events)), '--org', orgcode);
    const { exitCode, stdout } = await ipm(
      'export',
      '--org',
      orgcode,
      '--service',
      'pos',
      '--max-records',
      '7',
      '-o',
      '-',
    );
    expect(exitCode).toBe(0);
    expect(idsIn(stdout)).toEqual(events.slice(0, 7).map(({ event_id }) => event_id));
  });

  it('say what is wrong with a file that is not there', async () => {
    const absent = await ipm('import', path.join(folder, 'none.ndjson'), '--org', orgcode, '--json');
    expect(absent).toMatchObject({ exitCode: 2, document: { error: { error_code: 'import_file_unusable' } } });
  });
});

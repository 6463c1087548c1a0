import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { identityOf } from '../../src/local/process-identity.js';
import { ProcessRecords } from '../../src/local/process-records.js';

describe('the records of our children', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'ipm-records-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('name nobody after all were stopped, although nobody told us of an exit', async () => {
    const file = path.join(folder, 'processes.json');
    const records = new ProcessRecords(file);
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    records.add({ ...identityOf(child.pid!)!, kind: 'redis' });

    await records.stopAll();

    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ processes: [] });
  });
});

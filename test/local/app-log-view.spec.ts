import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { AppLogView } from '../../src/local/app-log-view.js';
import { lastLogLines, LogTail } from '../../src/local/log-file.js';

describe('the app’s log at the terminal', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'ipm-log-'));
    file = path.join(folder, 'app.log');
    const records = [
      { level: 'info', msg: 'listening' },
      { level: 'warn', msg: 'private networks are allowed' },
      { level: 'error', msg: 'request failed', err: { message: 'connection lost' } },
    ];
    writeFileSync(file, [...records.map((record) => JSON.stringify(record)), 'Error: thrown by Node', ''].join('\n'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const shown = (verbose: boolean): string[] => {
    const lines: string[] = [];
    new AppLogView(file, verbose, (line) => lines.push(line)).stop();
    return lines;
  };

  it('shows warnings, errors with their cause, and what is no record', () => {
    expect(shown(false)).toEqual([
      'warn  private networks are allowed',
      'error  request failed: connection lost',
      'Error: thrown by Node',
    ]);
  });

  it('shows every line as it is when asked to', () => {
    expect(shown(true)).toHaveLength(4);
    expect(shown(true)[0]).toBe('{"level":"info","msg":"listening"}');
  });

  it('gives each line once and whole, also when it arrives in pieces, even of a character', () => {
    const tail = new LogTail(file, 0);
    expect(tail.readLines()).toHaveLength(4);
    const line = Buffer.from('länger\n');
    appendFileSync(file, line.subarray(0, 2));
    expect(tail.readLines()).toEqual([]);
    appendFileSync(file, line.subarray(2));
    expect(tail.readLines()).toEqual(['länger']);
    writeFileSync(file, 'begun anew\n');
    expect(tail.readLines()).toEqual(['begun anew']);
  });

  it('has last lines also when the very last one was cut off', () => {
    appendFileSync(file, 'no line end');
    expect(lastLogLines(file, 2)).toEqual(['Error: thrown by Node', 'no line end']);
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readConfiguration } from './configuration.js';
import { ensureSecretsFile, readSecretsFile } from './secrets-file.js';

const MAKERS = 6;

describe('the secrets file', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'ipm-secrets-'));
    file = path.join(folder, 'deep', 'secrets.json');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is made with its folder, holds what a configuration takes, and is for its owner alone', () => {
    ensureSecretsFile(file);
    const { secrets } = readConfiguration({
      DATABASE_URL: 'postgresql://h/d',
      REDIS_URL: 'redis://h',
      IPM_SECRETS_FILE: file,
    });
    expect(secrets.secret.length).toBeGreaterThanOrEqual(64);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(path.dirname(file))).toEqual(['secrets.json']);
  });

  it('stays as it is when it is there, whatever is in it', () => {
    ensureSecretsFile(file);
    const made = readFileSync(file, 'utf8');
    ensureSecretsFile(file);
    expect(readFileSync(file, 'utf8')).toBe(made);
    writeFileSync(file, 'spoiled');
    ensureSecretsFile(file);
    expect(readFileSync(file, 'utf8')).toBe('spoiled');
    expect(readdirSync(path.dirname(file))).toEqual(['secrets.json']);
  });

  it('is another one each time', () => {
    ensureSecretsFile(file);
    const other = path.join(folder, 'other.json');
    ensureSecretsFile(other);
    expect(readSecretsFile(other)).not.toEqual(readSecretsFile(file));
  });

  it(`is made once by ${MAKERS} processes that start at once, and all of them read the same`, async () => {
    const start = path.join(folder, 'start');
    const module = path.resolve('dist/platform/config/secrets-file.js');
    const program = `
      const { ensureSecretsFile, readSecretsFile } = await import(${JSON.stringify(module)});
      const { existsSync } = await import('node:fs');
      console.log('here');
      while (!existsSync(${JSON.stringify(start)}));
      ensureSecretsFile(${JSON.stringify(file)});
      console.log(readSecretsFile(${JSON.stringify(file)}).secret);`;
    const makers = Array.from({ length: MAKERS }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] }),
    );
    const outputs = makers.map(async ({ stdout }) => (await stdout.toArray()).join(''));
    await Promise.all(makers.map(({ stdout }) => once(stdout, 'readable')));
    expect(existsSync(file)).toBe(false);
    writeFileSync(start, '');
    const read = (await Promise.all(outputs)).map((output) => output.trim().split('\n')[1]);
    expect(new Set(read)).toEqual(new Set([readSecretsFile(file).secret]));
    expect(readdirSync(path.dirname(file))).toEqual(['secrets.json']);
  });
});

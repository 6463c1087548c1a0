import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readConfiguration } from './configuration.js';

const FOLDER = 'src/platform/config';
const SETTING = /^#?([A-Z][A-Z0-9_]+)=(.*)$/;

interface Setting {
  name: string;
  value: string;
  /** The comment above it, which may be of several settings. */
  meaning: string;
}

const [ofTheProduct = '', ofCompose = ''] = readFileSync('.env.example', 'utf8').split(
  /^# --- docker compose only.*$/m,
);

function settingsIn(text: string): Setting[] {
  let meaning = '';
  let above = '';
  return text.split('\n').flatMap((line) => {
    const [, name, value = ''] = SETTING.exec(line) ?? [];
    if (name === undefined) {
      meaning = above.startsWith('# ') && line.startsWith('# ') ? `${meaning} ${line}` : line;
      above = line;
      return [];
    }
    above = line;
    return [{ name, value, meaning }];
  });
}

/** Which variables are asked for, whatever the others say. */
function namesRead(): Set<string> {
  const names = new Set<string>();
  const environments: Record<string, string>[] = [
    {},
    { S3_ENDPOINT: 'http://localhost:9000' },
    { JWT_JWKS_URL: 'http://localhost/jwks', IPM_SECRETS_FILE: '/nowhere' },
  ];
  for (const environment of environments) {
    const recording = new Proxy(environment, { get: (target, name: string) => (names.add(name), target[name]) });
    expect(() => readConfiguration(recording)).toThrow('The configuration has');
  }
  return names;
}

describe('.env.example', () => {
  it('lists exactly the variables that the product reads, each once', () => {
    const listed = settingsIn(ofTheProduct).map(({ name }) => name);
    expect(listed.sort()).toEqual([...namesRead()].sort());
  });

  it('is compared with all of them: the source names no other', () => {
    const files = readdirSync(FOLDER).filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'));
    const source = files.map((file) => readFileSync(path.join(FOLDER, file), 'utf8')).join('\n');
    const named = [
      ...source.matchAll(
        /\b(?:IPM|DATABASE|REDIS|S3|JWT|RATE_LIMIT|SESSION|STOP|TRUST|EVENT|WEBHOOK|DELIVERY|BULK|INBOX|METRICS)_[A-Z_]*[A-Z]\b/g,
      ),
    ].map(([name]) => name);
    const read = namesRead();
    expect([...new Set(named)].filter((name) => !read.has(name))).toEqual([]);
    expect(named.length).toBeGreaterThan(20);
  });

  it('lists for compose what docker-compose.yml takes from it, and nothing else', () => {
    const taken = new Set(
      [...readFileSync('docker-compose.yml', 'utf8').matchAll(/\$\{([A-Z0-9_]+)/g)].map(([, name]) => name!),
    );
    const listed = settingsIn(ofCompose).map(({ name }) => name);
    expect(listed.filter((name) => !taken.has(name))).toEqual([]);
    const known = new Set([...listed, ...namesRead()]);
    expect([...taken].filter((name) => !known.has(name))).toEqual([]);
  });

  it('gives every variable its meaning in the line above', () => {
    const unexplained = [...settingsIn(ofTheProduct), ...settingsIn(ofCompose)].filter(
      ({ meaning }) => !/^# \S.{10}/.test(meaning),
    );
    expect(unexplained.map(({ name }) => name).filter((name) => name !== 'S3_REGION')).toEqual([]);
  });

  it('shows the real defaults', () => {
    const required = {
      DATABASE_URL: 'postgresql://h/d',
      REDIS_URL: 'redis://h',
      IPM_SECRET: 's'.repeat(32),
      IPM_ENCRYPTION_KEYS: `k1:${Buffer.alloc(32).toString('base64')}`,
      JWT_JWKS_URL: 'https://id.example/jwks',
      JWT_ISSUER: 'i',
      JWT_AUDIENCE: 'a',
    };
    const withStore = {
      ...required,
      S3_ENDPOINT: 'http://s3.example',
      S3_BUCKET: 'ipm',
      S3_ACCESS_KEY_ID: 'i',
      S3_SECRET_ACCESS_KEY: 's',
    };
    const shown = settingsIn(ofTheProduct).filter(
      ({ value, meaning, name }) => value !== '' && !meaning.includes('Default: ') && !(name in required),
    );
    expect(shown.length).toBeGreaterThan(15);
    for (const base of [required, withStore]) {
      for (const { name, value } of shown)
        expect({ name, configuration: readConfiguration({ ...base, [name]: value }) }).toEqual({
          name,
          configuration: readConfiguration(base),
        });
    }
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { eventErrors } from '../../src/cdc/cdc.errors.js';
import { defineErrors, definedErrors, type ExpectedFailure } from '../../src/platform/errors/error-catalog.js';

interface DocumentedError {
  tag: string;
  status: number;
  retryable: boolean;
}

/** One event of a batch: no status of its own, the batch goes on. */
const ITEM_ROW = /^\| `(event_[a-z_]+)` +\| [^|]*\S +\|$/gm;
const ROW = /^\| `([a-z0-9_]+)` +\| (\d{3}) +\| (yes|no) +\| \S.*\S +\| \S.*\S +\|$/gm;

function sources(suffix: string): string[] {
  const names = readdirSync('src', { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith(suffix) && !name.startsWith('generated'))
    .map((name) => path.resolve('src', name));
}

async function catalogs(): Promise<[string, Record<string, ExpectedFailure>][]> {
  const modules = await Promise.all(
    sources('.errors.ts').map((file) => import(file) as Promise<Record<string, Record<string, ExpectedFailure>>>),
  );
  return modules.flatMap((module) => Object.entries(module));
}

function documented(): DocumentedError[] {
  const rows = [...readFileSync('docs/errors.md', 'utf8').matchAll(ROW)];
  return rows.map(([, tag, status, retryable]) => ({
    tag: tag!,
    status: Number(status),
    retryable: retryable === 'yes',
  }));
}

const byTag = (a: DocumentedError, b: DocumentedError): number => (a.tag < b.tag ? -1 : 1);

describe('the error catalogs', () => {
  it('and docs/errors.md list the same tags with the same status and retryable flag', async () => {
    await catalogs();
    const defined = definedErrors().map(({ tag, status, retryable }) => ({ tag, status, retryable }));
    expect(defined.length).toBeGreaterThan(40);
    expect(documented().sort(byTag)).toEqual(defined.sort(byTag));
  });

  it('and docs/events.md list the same tags for one event of a batch, which no whole answer has', () => {
    const items = [...readFileSync('docs/events.md', 'utf8').matchAll(ITEM_ROW)].map(([, tag]) => tag);
    const defined = Object.values(eventErrors).map(({ tag }) => tag);
    expect(items.sort()).toEqual([...defined].sort());
    expect(definedErrors().filter(({ tag }) => items.includes(tag))).toEqual([]);
  });

  it('hold nothing that no source uses', async () => {
    const source = sources('.ts')
      .filter((file) => !file.endsWith('.spec.ts') && !file.endsWith('.errors.ts'))
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n');
    const unused = (await catalogs()).flatMap(([catalog, failures]) =>
      Object.keys(failures).filter((name) => !new RegExp(`\\b${catalog}\\.${name}\\b`).test(source)),
    );
    expect(unused).toEqual([]);
  });

  it('use statuses that fit their class, and say what to do in a sentence', async () => {
    await catalogs();
    const statusesOf: Record<ExpectedFailure['major'], number[]> = {
      validation: [400, 411, 413, 415, 422],
      authentication: [401],
      authorization: [403],
      not_found: [404, 410],
      conflict: [409],
      precondition: [428],
      rate_limited: [429],
      unavailable: [503],
      internal: [500],
    };
    for (const { tag, major, status, retryable, message } of definedErrors()) {
      expect([tag, statusesOf[major].includes(status)]).toEqual([tag, true]);
      expect([tag, /^[a-z][a-z0-9_]*$/.test(tag)]).toEqual([tag, true]);
      expect([tag, /^[A-Za-z].{15,}\.$/.test(message)]).toEqual([tag, true]);
      if (major === 'unavailable' || major === 'rate_limited') expect([tag, retryable]).toEqual([tag, true]);
    }
  });

  it('refuse a tag that another room has', () => {
    const twice = { major: 'conflict', status: 409, message: 'Twice.' } as const;
    expect(() => defineErrors({ one: { tag: 'spec_twice', ...twice }, two: { tag: 'spec_twice', ...twice } })).toThrow(
      'error tag spec_twice is defined twice',
    );
  });
});

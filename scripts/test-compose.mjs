// `npm run test:compose`: the image and docker-compose.yml as a user has them, from an empty machine to `down -v`.
// TEST_COMPOSE_PROJECT, TEST_COMPOSE_PORT and TEST_COMPOSE_S3_PORT choose what is otherwise made up; DOCKER_HOST the engine.
import { firstChecks, secondChecks } from '../test/compose/compose-checks.mjs';
import { ComposeProject } from '../test/compose/compose-project.mjs';
import { findEngine } from '../test/compose/docker-engine.mjs';

const counts = { passed: 0, failed: 0 };
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => stopping.abort(new Error(`stopped by ${signal}`)));

const { missing, compose, version } = findEngine();
if (missing) {
  console.log(`Not run: the image and the compose file were not tried, because ${missing}.`);
} else {
  await tryProject(await ComposeProject.create(compose, stopping.signal));
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 ? 0 : 1;

async function tryProject(project) {
  console.log(`${version}; project ${project.name}, API on port ${project.port}, store on port ${project.s3Port}`);
  const state = {};
  try {
    // What a later step needs failed, so it would only fail once more.
    const isUp = await check('docker compose up on an empty machine, with the build', () => upFromNothing(project));
    if (!isUp || !(await runChecks(firstChecks(project, state)))) await showLogs(project);
    if (!isUp || !state.apiKey) return;
    if (!(await check('down, and up again', () => downAndUp(project)))) return;
    if (!(await runChecks(secondChecks(project, state)))) await showLogs(project);
  } finally {
    await check('down -v leaves nothing', () => downWithVolumes(project), { always: true });
    await project.removeImage();
  }
}

async function upFromNothing(project) {
  if ((await project.containers()).size > 0 || (await project.volumes()).length > 0) {
    throw new Error(`there is a project ${project.name} already: docker compose -p ${project.name} down -v`);
  }
  await project.up('--build');
}

async function downAndUp(project) {
  const before = await project.volumes();
  await project.down();
  if ((await project.containers()).size > 0) throw new Error('containers are left after down');
  await project.up();
  const after = await project.volumes();
  if (before.join() !== after.join()) throw new Error(`volumes were ${before.join(', ')}, now ${after.join(', ')}`);
}

async function downWithVolumes(project) {
  await project.down('-v', '--remove-orphans');
  const left = [...(await project.containers()).keys(), ...(await project.volumes())];
  if (left.length > 0) throw new Error(`left: ${left.join(', ')}`);
}

async function runChecks(checks) {
  const failedBefore = counts.failed;
  for (const [name, work] of checks) await check(name, work);
  return counts.failed === failedBefore;
}

/** True if it holds; one line either way. */
async function check(name, work, { always = false } = {}) {
  const begun = performance.now();
  const seconds = () => `${((performance.now() - begun) / 1000).toFixed(1)} s`;
  try {
    if (!always) stopping.signal.throwIfAborted();
    await work();
    counts.passed += 1;
    console.log(`  ok      ${name}  (${seconds()})`);
    return true;
  } catch (error) {
    counts.failed += 1;
    console.log(`  FAILED  ${name}  (${seconds()})\n${indented(error.message)}`);
    return false;
  }
}

async function showLogs(project) {
  const { stdout } = await project.command(['logs', '--no-color', '--tail', '30'], { anyExit: true });
  console.log(indented(`the end of the logs:\n${stdout.trim()}`));
}

function indented(text) {
  return text
    .split('\n')
    .map((line) => `          ${line}`)
    .join('\n');
}

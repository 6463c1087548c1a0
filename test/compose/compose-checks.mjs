import assert from 'node:assert/strict';

const SERVING = ['api', 'worker'];
const STORES = ['postgres', 'redis', 's3'];
const ORGCODE = 'demo';
const OBJECT_KEY = 'compose/kept';
const BUILD_ID = 'composetest'; // settings.env

/** What has to be true once the stack is up; in order, because the key of one is used by the next. */
export function firstChecks(project, state) {
  return [
    ['api and worker, and the stores, are healthy', () => project.waitUntilHealthy([...SERVING, ...STORES])],
    ['the migration step ended well and does not start again', () => assertMigrated(project)],
    ['ipm key create makes an organisation and an owner key', () => makeKey(project, state)],
    ['the key opens /ipm/event/catalog/list', () => assertKeyWorks(project, state)],
    ['a wrong key is refused with 401', () => assertWrongKeyRefused(project, state)],
    ['Swagger UI answers at /docs', () => assertDocs(project)],
    ['only the API and the data port of the store are published, on loopback', () => assertPublished(project)],
    ['the stores stand in a network without a way out', () => assertNetworks(project)],
    ['every container is read-only, without capabilities and bounded', () => assertConfined(project)],
    ['api and worker run as an ordinary user on a read-only filesystem', () => assertOrdinaryUser(project)],
    ['the login that serves owns no table and reads none by itself', () => assertLeastLogin(project)],
    ['ipm doctor finds every store sound from inside', () => assertDoctor(project)],
    ['an object is kept in the store', () => putObject(project, state)],
    ['it comes out by its signed URL, at the published port', () => assertDownloaded(project, state)],
    ['the image holds no development packages', () => assertProductionPackages(project)],
  ];
}

/** After `down` and `up` with the same volumes. */
export function secondChecks(project, state) {
  return [
    ['api and worker are healthy again', () => project.waitUntilHealthy(SERVING)],
    ['the key still works: database and secrets were kept', () => assertKeyWorks(project, state)],
    ['the organisation is still there', () => assertOrganisationListed(project)],
    ['the object is still there', () => assertObject(project, state)],
    ['SIGTERM stops the api within its grace period, by itself', () => assertStops(project, 'api')],
    ['SIGTERM stops the worker within its grace period, by itself', () => assertStops(project, 'worker')],
  ];
}

async function assertMigrated(project) {
  const { State, HostConfig } = (await project.containers()).get('migrate');
  assert.equal(State.Status, 'exited');
  assert.equal(State.ExitCode, 0);
  assert.equal(HostConfig.RestartPolicy.Name, 'no');
}

async function makeKey(project, state) {
  const { api_key, orgcode } = await ipm(project, ['key', 'create', '--org', ORGCODE, '--role', 'owner']);
  assert.match(api_key, /^ipm_/);
  assert.equal(orgcode, ORGCODE);
  state.apiKey = api_key;
}

async function ipm(project, command) {
  const { exitCode, stdout, stderr } = await project.exec('api', ['ipm', ...command, '--json']);
  assert.equal(exitCode, 0, `ipm ${command.join(' ')}: ${stderr}${stdout}`);
  return JSON.parse(stdout);
}

function listCatalog(project, apiKey) {
  return fetch(`${project.url}/ipm/event/catalog/list`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-orgcode': ORGCODE, 'x-api-key': apiKey },
    body: '{}',
    signal: AbortSignal.timeout(10_000),
  });
}

async function assertKeyWorks(project, { apiKey }) {
  const answer = await listCatalog(project, apiKey);
  const body = await answer.text();
  assert.equal(answer.status, 200, body);
  const { success, data, stats } = JSON.parse(body);
  assert.equal(success, true);
  assert.ok(data.items.length > 0, 'the catalog is empty');
  assert.equal(stats.build.build_id, BUILD_ID);
}

async function assertWrongKeyRefused(project, { apiKey }) {
  assert.equal((await listCatalog(project, apiKey.toUpperCase())).status, 401);
}

async function assertDocs(project) {
  const page = await fetch(`${project.url}/docs`, { signal: AbortSignal.timeout(10_000) });
  assert.equal(page.status, 200);
  assert.match(await page.text(), /swagger/i);
}

async function assertPublished(project) {
  const published = [...(await project.containers())].flatMap(([service, { HostConfig, NetworkSettings }]) => {
    assert.equal(HostConfig.PublishAllPorts, false);
    assert.notEqual(HostConfig.NetworkMode, 'host');
    return Object.entries(NetworkSettings.Ports ?? {}).flatMap(([port, bindings]) =>
      (bindings ?? []).map(({ HostIp, HostPort }) => `${HostIp}:${HostPort} -> ${service} ${port}`),
    );
  });
  assert.deepEqual(
    published.sort(),
    [`127.0.0.1:${project.port} -> api 3000/tcp`, `127.0.0.1:${project.s3Port} -> s3 7070/tcp`].sort(),
  );
  // Published is one thing, answering there another.
  const store = await fetch(`http://127.0.0.1:${project.s3Port}/health`, { signal: AbortSignal.timeout(10_000) });
  assert.equal(store.status, 200);
}

async function assertNetworks(project) {
  const containers = await project.containers();
  const names = (service) => Object.keys(containers.get(service).NetworkSettings.Networks).sort();
  const internal = `${project.name}_internal`;
  const both = [internal, `${project.name}_public`];
  const found = Object.fromEntries([...containers.keys()].map((service) => [service, names(service)]));
  const only = [internal];
  assert.deepEqual(found, { api: both, s3: both, worker: only, migrate: only, postgres: only, redis: only });
  const [network] = JSON.parse((await project.docker(['network', 'inspect', internal])).stdout);
  assert.equal(network.Internal, true);
}

async function assertConfined(project) {
  for (const [service, { HostConfig }] of await project.containers()) {
    assert.equal(HostConfig.ReadonlyRootfs, true, `${service}: root filesystem`);
    assert.deepEqual(HostConfig.CapDrop, ['ALL'], `${service}: capabilities dropped`);
    assert.deepEqual(HostConfig.CapAdd ?? [], [], `${service}: capabilities added`);
    assert.equal(HostConfig.Privileged, false, `${service}: privileged`);
    assert.match(HostConfig.SecurityOpt.join(), /no-new-privileges/, `${service}: new privileges`);
    assert.ok(HostConfig.Memory > 0, `${service}: memory limit`);
  }
}

async function assertOrdinaryUser(project) {
  const containers = await project.containers();
  const readOnly = 'EROFS';
  for (const service of SERVING) {
    const { heapMb, ...confinement } = await project.runInside(service, 'confinement', [
      '/app',
      '/home/node',
      '/var/lib/ipm',
      '/tmp',
    ]);
    assert.deepEqual(
      confinement,
      {
        uid: 1000,
        capabilities: 0,
        noNewPrivileges: true,
        writes: { '/app': readOnly, '/home/node': readOnly, '/var/lib/ipm': readOnly, '/tmp': 'written' },
      },
      service,
    );
    const memoryMb = containers.get(service).HostConfig.Memory / 1024 / 1024;
    assert.ok(heapMb < 0.8 * memoryMb, `${service}: a heap of ${heapMb} MB leaves too little of ${memoryMb} MB`);
  }
}

async function assertLeastLogin(project) {
  const least = { login: 'ipm_serving', powerful: false, owned: 0, readable: 0, knowsOwner: false };
  for (const service of SERVING) assert.deepEqual(await project.runInside(service, 'login'), least, service);
}

async function assertDoctor(project) {
  const { healthy, checks } = await ipm(project, ['doctor']);
  assert.equal(healthy, true);
  const verdicts = new Map(checks.map(({ check, verdict }) => [check, verdict]));
  for (const check of ['configuration', 'Postgres', 'durability', 'tenant wall', 'Redis', 'object store']) {
    assert.equal(verdicts.get(check), 'ok', `${check}: ${JSON.stringify(checks)}`);
  }
}

async function putObject(project, state) {
  state.object = `kept over a restart: ${project.name}`;
  assert.equal(await project.runInside('worker', 'object', [OBJECT_KEY, state.object]), state.object);
}

async function assertDownloaded(project, state) {
  const url = await project.runInside('api', 'download-url', [OBJECT_KEY]);
  const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  assert.equal(answer.headers.get('content-disposition'), 'attachment; filename="kept.txt"');
  assert.equal(await answer.text(), state.object);
}

async function assertObject(project, state) {
  assert.equal(await project.runInside('api', 'object', [OBJECT_KEY]), state.object);
}

async function assertProductionPackages(project) {
  const neededToServe = ['@prisma/driver-adapter-utils', '@types/node', '@types/pg']; // by @prisma/adapter-pg
  const found = await project.runInside('api', 'packages');
  assert.deepEqual(
    found.filter((name) => !neededToServe.includes(name)),
    [],
  );
}

async function assertOrganisationListed(project) {
  const { items } = await ipm(project, ['org', 'list']);
  assert.deepEqual(
    items.map(({ orgcode }) => orgcode),
    [ORGCODE],
  );
}

async function assertStops(project, service) {
  const graceMs = 30_000;
  const begun = performance.now();
  await project.command(['stop', service]);
  const tookMs = performance.now() - begun;
  const { State, HostConfig } = (await project.containers()).get(service);
  // 137 would be SIGKILL at the end of the grace period, 143 a process that does not know SIGTERM.
  assert.deepEqual({ running: State.Running, exitCode: State.ExitCode }, { running: false, exitCode: 0 });
  assert.ok(tookMs < graceMs, `took ${Math.round(tookMs)} ms`);
  assert.equal(HostConfig.Init, true);
}

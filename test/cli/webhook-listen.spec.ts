import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { Webhook } from 'standardwebhooks';
import { freePort } from '../../src/local/free-port.js';
import { TestApi } from '../support/api.js';
import { testDatabase } from '../support/database.js';
import { productEnvironment } from '../support/environment.js';
import { anEvent } from '../support/events.js';
import { feedOf } from '../support/published.js';
import { until } from '../support/until.js';
import { ipmOn, ranToEnd, spawnIpm } from './ipm.js';

jest.setTimeout(60_000);

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

/** What somebody is writing: keeps what it gets, and answers as told. */
class LocalReceiver {
  readonly received: Received[] = [];
  status = 204;
  readonly server: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      this.received.push({ headers: request.headers, body });
      if (this.status !== 0) response.writeHead(this.status, { location: '/elsewhere' }).end('seen');
    });
  });

  async started(): Promise<this> {
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    return this;
  }

  get url(): string {
    return `http://localhost:${(this.server.address() as AddressInfo).port}/hook?of=me`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

/** The command, running: what it has printed so far can be waited for. */
class Listening {
  private readonly child;
  private readonly lines: string[] = [];
  private printed: () => void = () => undefined;

  constructor(databaseUrl: string, ...args: string[]) {
    this.child = spawnIpm(productEnvironment(databaseUrl), 'webhook', 'listen', ...args);
    createInterface(this.child.stdout).on('line', (line) => {
      this.lines.push(line);
      this.printed();
    });
  }

  async shows(count: number): Promise<string[]> {
    while (this.lines.length < count) await new Promise<void>((resolve) => (this.printed = resolve));
    return this.lines;
  }

  async interrupted(): Promise<{ exitCode: number | null; stderr: string; last: string | undefined }> {
    this.child.kill('SIGINT');
    const { exitCode, stderr } = await ranToEnd(this.child);
    return { exitCode, stderr, last: this.lines.at(-1) };
  }
}

describe('ipm webhook listen', () => {
  let api: TestApi;
  let receiver: LocalReceiver;

  beforeAll(async () => {
    api = await TestApi.start();
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    receiver = await new LocalReceiver().started();
  });
  afterEach(() => receiver.stop());

  const publish = async (owner: { orgcode: string; key: string }, ...events: object[]): Promise<void> => {
    expect((await api.call('/event/publish', { events }, owner)).status).toBe(200);
  };

  it('sends what comes from now on, as a webhook would get it, in order, and prints a line for each', async () => {
    const owner = await api.anOwner();
    await publish(owner, anEvent({ event_id: 'before' }));
    const listening = new Listening(api.database.url, '--org', owner.orgcode, '--forward-to', receiver.url);
    const [heading, secret = ''] = await listening.shows(2);
    expect(heading).toBe(`Events of ${owner.orgcode} go to ${receiver.url} until Ctrl-C, signed with`);
    await publish(
      owner,
      anEvent({
        event_id: 'e-1',
        occurred_at: '2026-11-01T10:00:00+01:00',
        payload: { note: 'Grüße 😀', roles: ['x'] },
      }),
      anEvent({ event_id: 'e-2', service: 'other' }),
    );
    const lines = await listening.shows(4);
    expect(lines[2]).toMatch(/^\d{4}-\d\d-\d\dT\S+Z {2}pos\.basket\.closed {2}e-1 {2}204 {2}\d+ ms$/);
    expect(lines[3]).toMatch(/ {2}other\.basket\.closed {2}e-2 {2}204 {2}\d+ ms$/);
    expect(await listening.interrupted()).toEqual({ exitCode: 0, stderr: '', last: '2 delivered, 0 failed' });

    const shown = (await feedOf(api, owner)).slice(-2);
    expect(receiver.received).toHaveLength(2);
    for (const [i, { headers, body }] of receiver.received.entries()) {
      const { roles, api_key_fingerprint, ...context } = shown[i]!.request_context as Record<string, unknown>;
      expect([roles, api_key_fingerprint]).toEqual([['owner'], expect.any(String)]);
      expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toEqual({
        ...shown[i],
        request_context: context,
      });
      expect(headers).toMatchObject({
        'content-type': 'application/json',
        'user-agent': expect.stringMatching(/^IPM\//),
        'ipm-attempt': '1',
        'ipm-replay': 'false',
        'ipm-delivery-id': expect.stringMatching(/^00000000-00[0-9a-f]{2}-8/),
      });
    }
  });

  it('shows what fails, sends it once and goes on with the next, also while the server is away', async () => {
    const owner = await api.anOwner();
    const away = `http://127.0.0.1:${await freePort()}/hook`;
    const toNobody = new Listening(api.database.url, '--org', owner.orgcode, '--forward-to', away, '--json');
    const toReceiver = new Listening(api.database.url, '--org', owner.orgcode, '--forward-to', receiver.url, '--json');
    await Promise.all([toNobody.shows(1), toReceiver.shows(1)]);
    for (const [i, status] of [500, 302, 200].entries()) {
      receiver.status = status;
      await publish(owner, anEvent({ event_id: `e-${i}` }));
      await toReceiver.shows(i + 2);
    }
    const [listening, ...sent] = (await toReceiver.shows(4)).map((line) => JSON.parse(line));
    expect(listening).toEqual({
      kind: 'listening',
      orgcode: owner.orgcode,
      forward_to: receiver.url,
      secret: expect.stringMatching(/^whsec_/),
    });
    expect(sent).toMatchObject([
      { kind: 'sent', event_id: 'e-0', status: 500, position: expect.stringMatching(/^\d+$/) },
      { event_id: 'e-1', status: 302, service: 'pos', action: 'basket.closed', duration_ms: expect.any(Number) },
      { event_id: 'e-2', status: 200 },
    ]);
    expect(JSON.parse((await toNobody.shows(2))[1]!)).toMatchObject({
      event_id: 'e-0',
      error_tag: 'connection_refused',
    });
    await toNobody.shows(4);
    expect(JSON.parse((await toReceiver.interrupted()).last!)).toEqual({ kind: 'ended', delivered: 1, failed: 2 });
    expect(JSON.parse((await toNobody.interrupted()).last!)).toEqual({ kind: 'ended', delivered: 0, failed: 3 });
    expect(receiver.received).toHaveLength(3); // no redirect was followed
  });

  it('ends at once also while the server keeps it waiting', async () => {
    const owner = await api.anOwner();
    receiver.status = 0;
    const listening = new Listening(api.database.url, '--org', owner.orgcode, '--forward-to', receiver.url);
    await listening.shows(2);
    await publish(owner, anEvent());
    await until(() => receiver.received.length === 1);
    const beganMs = Date.now();
    expect((await listening.interrupted()).last).toBe('0 delivered, 0 failed');
    expect(Date.now() - beganMs).toBeLessThan(5_000);
  });

  it('sends the events of one service, in another format', async () => {
    const owner = await api.anOwner();
    const options = ['--service', 'shop', '--format', 'cloudevents', '--forward-to', receiver.url];
    const listening = new Listening(api.database.url, '--org', owner.orgcode, ...options);
    await listening.shows(2);
    await publish(owner, anEvent(), anEvent({ service: 'shop', event_id: 'e-1' }));
    await listening.shows(3);
    await listening.interrupted();
    const [{ headers, body }] = receiver.received as [Received];
    expect(headers['content-type']).toBe('application/cloudevents+json');
    expect(JSON.parse(body)).toMatchObject({ specversion: '1.0', id: 'e-1', type: 'shop.basket.closed' });
  });

  it.each([
    ['https://1.1.1.1/hook', 'address_not_local'],
    ['http://169.254.169.254/hook', 'address_not_local'],
    ['http://[2606:4700:4700::1111]/hook', 'address_not_local'],
    ['http://no-such-name.invalid/hook', 'name_not_found'],
    ['localhost:8080', 'wrong_usage'],
    ['ftp://localhost/hook', 'wrong_usage'],
  ])('sends nothing to %s', async (url, error_code) => {
    const refused = await ipmOn(api.database.url)('webhook', 'listen', '--forward-to', url, '--org', 'acme', '--json');
    expect(refused).toMatchObject({ exitCode: 2, document: { error: { error_code } } });
  });

  it('takes the only organisation where none is named, and asks where there are several', async () => {
    const database = await testDatabase();
    try {
      const ipm = ipmOn(database.url);
      const listen = (): ReturnType<typeof ipm> => ipm('webhook', 'listen', '--forward-to', receiver.url, '--json');
      expect(await listen()).toMatchObject({
        exitCode: 2,
        document: { error: { error_code: 'organisation_not_named' } },
      });
      await ipm('key', 'create', '--org', 'acme', '--role', 'owner');
      const listening = new Listening(database.url, '--forward-to', receiver.url);
      expect((await listening.shows(2))[0]).toMatch(/^Events of acme go to /);
      await listening.interrupted();
      await ipm('key', 'create', '--org', 'other', '--role', 'owner');
      expect((await listen()).stderr).toBe('There are several organisations: say which with --org.\n');
      const nowhere = await ipm('webhook', 'listen', '--forward-to', receiver.url, '--org', 'nowhere');
      expect(nowhere).toMatchObject({ exitCode: 1, stdout: '' });
    } finally {
      await database.drop();
    }
  });
});

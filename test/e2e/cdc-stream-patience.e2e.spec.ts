import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestApi, writeGrounds } from '../support/api.js';
import { anEvent } from '../support/events.js';
import type { Organisation } from '../support/event-types.js';
import { SseClient } from '../support/sse-client.js';

jest.setTimeout(60_000);

const HEARTBEAT_MS = 15_000;
const PATIENCE_MS = 30_000;
const SLACK_MS = 3_000;

interface Ended {
  how: 'end' | 'cut';
  afterMs: number;
}

/** What takes its time begins before all tests and goes on under them together: each test waits for its own part. */
describe('a stream in the long run', () => {
  let api: TestApi;
  let url: string;
  let isOver = false;
  let writing: Promise<unknown>;
  const clients: SseClient[] = [];

  let heard: Promise<{ quiet: SseClient; unmet: SseClient; busy: SseClient }>;
  let revoked: Promise<Record<'quiet' | 'busy' | 'unmet', Ended>>;
  let closed: Promise<Ended>;
  let stalled: Promise<{ writtenMs: number; closedMs: number }>;
  const connections = new Set<Socket>();

  beforeAll(async () => {
    api = await TestApi.start();
    await api.app.listen(0, '127.0.0.1');
    api.app.getHttpServer().on('connection', (socket: Socket) => connections.add(socket));
    url = `${await api.app.getUrl()}/ipm/cdc/stream`;
    const [quiet, busy] = [await api.anOwner(), await api.anOwner()];
    writing = keepWriting(busy);
    heard = hear(quiet, busy);
    revoked = revoke(quiet, busy);
    closed = closeSession(busy);
    stalled = stall(await api.anOwner());
  });
  afterAll(async () => {
    isOver = true;
    await writing;
    for (const client of clients) client.cut();
    await api.close();
  });

  /** More often than a heartbeat comes round. */
  const keepWriting = async (org: Organisation): Promise<void> => {
    while (!isOver) {
      await api.call('/event/publish', { events: [anEvent()] }, org);
      await sleep(250);
    }
  };
  const open = async (
    org: Organisation,
    query = '',
    headers = { 'x-api-key': org.key } as object,
  ): Promise<SseClient> => {
    const client = await SseClient.open(`${url}?${query}`, { 'x-orgcode': org.orgcode, ...headers });
    clients.push(client);
    return client.untilBegun();
  };
  const ending = async (client: SseClient, sinceMs: number, withinMs: number): Promise<Ended> => ({
    how: await client.untilEnded(withinMs),
    afterMs: Date.now() - sinceMs,
  });

  const hear = async (quiet: Organisation, busy: Organisation): Promise<Awaited<typeof heard>> => {
    const streams = { quiet: await open(quiet), unmet: await open(busy, 'service=none'), busy: await open(busy) };
    await sleep(2 * HEARTBEAT_MS + SLACK_MS);
    return streams;
  };

  const revoke = async (quiet: Organisation, busy: Organisation): Promise<Awaited<typeof revoked>> => {
    const doomed = async ({ orgcode, key }: Organisation, query: string): Promise<Ended> => {
      const caller = { orgcode, key };
      const made = await api.call(
        '/access/key/create',
        { roles: ['integration_view'], ...writeGrounds(orgcode) },
        caller,
      );
      const client = await open({ orgcode, key: made.body.data.api_key }, query);
      const { key_id } = made.body.data.key;
      expect((await api.call('/access/key/revoke', { key_id, ...writeGrounds(orgcode) }, caller)).status).toBe(200);
      return ending(client, Date.now(), 2 * HEARTBEAT_MS);
    };
    const [ofQuiet, ofBusy, ofUnmet] = await Promise.all([
      doomed(quiet, ''),
      doomed(busy, ''),
      doomed(busy, 'service=none'),
    ]);
    return { quiet: ofQuiet, busy: ofBusy, unmet: ofUnmet };
  };

  const closeSession = async (org: Organisation): Promise<Ended> => {
    const request = { actor: 'ada', roles: ['integration_view'], ...writeGrounds(org.orgcode) };
    const { session, session_guid } = (await api.call('/access/session/open', request, org)).body.data;
    const client = await open(org, '', { 'x-session-guid': session_guid });
    const close = { session_id: session.session_id, ...writeGrounds(org.orgcode) };
    expect((await api.call('/access/session/close', close, org)).status).toBe(200);
    return ending(client, Date.now(), 2 * HEARTBEAT_MS);
  };

  /** Seen from the server: who does not read does not see the end either. */
  const stall = async (org: Organisation): Promise<Awaited<typeof stalled>> => {
    const client = await open(org);
    client.response.pause();
    const { localPort } = client.response.socket;
    const socket = [...connections].find(({ remotePort }) => remotePort === localPort)!;
    const begunMs = Date.now();
    const closed = once(socket, 'close').then(() => Date.now() - begunMs);
    for (let n = 0; n < 9; n += 1) {
      const events = Array.from({ length: 35 }, () => anEvent({ payload: { text: 'x'.repeat(200_000) } }));
      await api.call('/event/publish', { events }, org); // far beyond what the network holds by itself
    }
    const writtenMs = Date.now() - begunMs;
    return { writtenMs, closedMs: await closed };
  };

  it('sends a heartbeat every 15 seconds, whether nothing happens, nothing passes, or much does', async () => {
    // The first at once; and one more where something came while the stream began.
    for (const { heartbeats } of Object.values(await heard)) expect([3, 4]).toContain(heartbeats);
  });

  it('moves on the id of its heartbeat over what does not pass', async () => {
    const { quiet, unmet } = await heard;
    expect(unmet.events).toEqual([]);
    const positionIn = (id: string): number =>
      Number(JSON.parse(Buffer.from(id.split('.')[0]!, 'base64url').toString())[0]);
    expect(positionIn(unmet.lastEventId)).toBeGreaterThan(positionIn(quiet.lastEventId) + 50);
  });

  it('ends in good order within a heartbeat when its key is revoked, on a busy log too', async () => {
    for (const [log, { how, afterMs }] of Object.entries(await revoked)) {
      expect([log, how]).toEqual([log, 'end']);
      expect(afterMs).toBeLessThan(HEARTBEAT_MS + SLACK_MS);
    }
  });

  it('ends likewise when its session is closed', async () => {
    const { how, afterMs } = await closed;
    expect(how).toBe('end');
    expect(afterMs).toBeLessThan(HEARTBEAT_MS + SLACK_MS);
  });

  it('is cut off when its reader takes nothing for 30 seconds, and not before', async () => {
    const { writtenMs, closedMs } = await stalled;
    expect(closedMs).toBeGreaterThan(PATIENCE_MS);
    expect(closedMs).toBeLessThan(PATIENCE_MS + writtenMs + SLACK_MS);
  });
});

import { randomUUID } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestApi } from '../support/api.js';
import { productEnvironment } from '../support/environment.js';
import { anEvent } from '../support/events.js';
import { ipmOn, ranToEnd, spawnIpm, type Ran } from './ipm.js';

jest.setTimeout(60_000);

describe('ipm event', () => {
  let api: TestApi;
  let ipm: (...args: string[]) => Promise<Ran>;
  const folder = mkdtempSync(path.join(tmpdir(), 'ipm-events-'));

  beforeAll(async () => {
    api = await TestApi.start();
    ipm = ipmOn(api.database.url);
  });
  afterAll(() => api.close());

  const aFile = (...lines: (string | Buffer)[]): string => {
    const file = path.join(folder, `${randomUUID()}.ndjson`);
    writeFileSync(file, Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from('\n')])));
    return file;
  };
  const someEvents = (count: number): string[] => Array.from({ length: count }, () => JSON.stringify(anEvent()));
  const idsInLog = async (orgcode: string): Promise<string[]> => {
    const rows = await api.database.asOwner<{ event_id: string }>(
      'select event_id from event where orgcode = $1 order by position',
      [orgcode],
    );
    return rows.map(({ event_id }) => event_id);
  };
  const idOf = (line: string): string => JSON.parse(line).event_id;

  describe('publish', () => {
    it('puts every line into the log in the order of the file, by way of several calls, and tells duplicates the next time', async () => {
      const orgcode = await api.anOrg();
      const lines = someEvents(1_203);
      const file = aFile(...lines);
      const first = await ipm('event', 'publish', file, '--org', orgcode, '--json');
      expect(first).toMatchObject({ exitCode: 0, stderr: '' });
      expect(first.document).toMatchObject({ orgcode, lines: 1_203, accepted: 1_203, duplicate: 0, rejected: 0 });
      expect(await idsInLog(orgcode)).toEqual(lines.map(idOf));
      const again = await ipm('event', 'publish', file, '--org', orgcode, '--json');
      expect(again).toMatchObject({ exitCode: 0, document: { accepted: 0, duplicate: 1_203 } });
    });

    it('reads standard input, and stores who published', async () => {
      const orgcode = await api.anOrg();
      const child = spawnIpm(productEnvironment(api.database.url), 'event', 'publish', '-', '--org', orgcode);
      child.stdin.end(`\ufeff${someEvents(2).join('\r\n\r\n')}`);
      const { exitCode, stdout } = await ranToEnd(child);
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/^Lines +2\nAccepted +2\n/);
      const [row] = await api.database.asOwner<{ envelope: string }>('select envelope from event where orgcode = $1', [
        orgcode,
      ]);
      expect(JSON.parse(row!.envelope).request_context).toMatchObject({
        actor: expect.stringMatching(/^cli:/),
        context_source: 'operator',
      });
    });

    it('names the lines that were rejected, and takes the others', async () => {
      const orgcode = await api.anOrg();
      const [good, other] = someEvents(2) as [string, string];
      const file = aFile(
        good,
        '',
        'no json',
        JSON.stringify(anEvent({ event_id: 'e-4', service: 'with blank', action: undefined })),
        Buffer.from([0x22, 0xff, 0x22]),
        JSON.stringify(anEvent({ event_id: 'e-6', payload: { text: 'x'.repeat(9 * 1024 * 1024) } })),
        other,
      );
      const published = await ipm('event', 'publish', file, '--org', orgcode, '--json');
      expect(published).toMatchObject({ exitCode: 1, stderr: '' });
      expect(published.document).toMatchObject({ lines: 6, accepted: 2, rejected: 4, rejections_not_shown: 0 });
      expect(published.document.rejections).toMatchObject([
        { line: 3, error_code: 'event_unreadable' },
        {
          line: 4,
          event_id: 'e-4',
          error_code: 'event_invalid',
          fields: [
            { path: 'service', tag: 'not_a_name' },
            { path: 'action', tag: 'required' },
          ],
        },
        { line: 5, error_code: 'event_unreadable' },
        { line: 6, error_code: 'event_too_large' },
      ]);
      expect(await idsInLog(orgcode)).toEqual([good, other].map(idOf));
    });

    it('names the first twenty of many', async () => {
      const file = aFile(...Array.from({ length: 30 }, () => '7'));
      const { exitCode, stdout } = await ipm('event', 'publish', file, '--org', await api.anOrg());
      expect(exitCode).toBe(1);
      expect(stdout.match(/^line \d+: event_unreadable: /gm)).toHaveLength(20);
      expect(stdout).toMatch(/^and 10 more$/m);
    });

    it('needs no Redis', async () => {
      const orgcode = await api.anOrg();
      const alone = ipmOn(api.database.url, { REDIS_URL: 'redis://127.0.0.1:1' });
      const published = await alone('event', 'publish', aFile(...someEvents(1)), '--org', orgcode, '--json');
      expect(published).toMatchObject({ exitCode: 0, stderr: '', document: { accepted: 1 } });
    });

    it('does not know files and organisations that are not there', async () => {
      const orgcode = await api.anOrg();
      for (const file of ['/nowhere.ndjson', folder]) {
        const refused = await ipm('event', 'publish', file, '--org', orgcode);
        expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
        expect(refused.stderr).toContain(`${file} cannot be read`);
      }
      expect((await ipm('event', 'publish', aFile(...someEvents(1)), '--org', 'nowhere')).exitCode).toBe(1);
    });
  });

  describe('tail', () => {
    /** The command, running: what it has printed so far can be waited for. */
    class Tail {
      private readonly child;
      private readonly lines: string[] = [];
      private printed: () => void = () => undefined;

      constructor(...args: string[]) {
        this.child = spawnIpm(productEnvironment(api.database.url), 'event', 'tail', ...args);
        createInterface(this.child.stdout).on('line', (line) => {
          this.lines.push(line);
          this.printed();
        });
      }

      async shows(count: number): Promise<string[]> {
        while (this.lines.length < count) await new Promise<void>((resolve) => (this.printed = resolve));
        return this.lines;
      }

      async interrupted(): Promise<number | null> {
        this.child.kill('SIGINT');
        return (await ranToEnd(this.child)).exitCode;
      }
    }

    const publish = async (owner: { orgcode: string; key: string }, ...events: object[]): Promise<void> => {
      expect((await api.call('/event/publish', { events }, owner)).status).toBe(200);
    };

    it('shows one event a line from the beginning on and goes on with what comes, until Ctrl-C', async () => {
      const owner = await api.anOwner();
      const event = anEvent({ resource_type: 'basket', resource_id: 'b\x1b[31m' });
      await publish(owner, event, anEvent({ service: 'other' }));
      const tail = new Tail('--org', owner.orgcode, '--service', 'pos', '--from', 'beginning');
      const [line] = await tail.shows(1);
      expect(line).toMatch(/^\d{4}-\S+Z {2}\d+ {2}pos\.basket\.closed {2}basket b\ufffd\[31m {2}\[not_in_catalog\]$/);
      await publish(owner, anEvent({ action: 'basket.opened' }), anEvent({ service: 'other' }));
      expect((await tail.shows(2))[1]).toContain('  pos.basket.opened  ');
      expect(await tail.interrupted()).toBe(0);
    });

    it('begins with what comes next unless told otherwise, and with --json prints the events as the feed has them', async () => {
      const owner = await api.anOwner();
      await publish(owner, anEvent());
      const tail = new Tail('--org', owner.orgcode, '--json');
      const shown = tail.shows(3);
      const news: Record<string, unknown>[] = [];
      for (let isShown = false; !isShown; isShown = await Promise.race([shown.then(() => true), sleep(100, false)])) {
        news.push(anEvent());
        await publish(owner, news.at(-1)!);
      }
      expect(await tail.interrupted()).toBe(0);
      const events = (await shown).map((line) => JSON.parse(line));
      const first = news.findIndex((event) => event.event_id === events[0].event_id);
      expect(first).toBeGreaterThan(0); // the command starts slower than the first is published
      expect(events).toMatchObject(news.slice(first, first + events.length));
    });

    it('does not know organisations that are not there', async () => {
      expect(await ipm('event', 'tail', '--org', 'nowhere')).toMatchObject({ exitCode: 1, stdout: '' });
    });
  });
});

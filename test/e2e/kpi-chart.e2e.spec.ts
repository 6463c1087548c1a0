import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TestApi } from '../support/api.js';
import { aFigure, KpiOwner } from '../support/kpis.js';
import { readPng, type Picture } from '../support/png.js';

const CHROMIUM = '/usr/bin/chromium';
const SCHEMES = { light: '1', dark: '0' } as const;

describe('kpi/chart.svg', () => {
  let api: TestApi;
  let owner: KpiOwner;
  beforeAll(async () => (api = await TestApi.start()));
  beforeEach(async () => (owner = await KpiOwner.of(api)));
  afterAll(() => api.close());

  const chart = async (
    search: Record<string, string> = {},
    of = owner,
  ): Promise<{ status: number; type: string; policy: string; text: string }> => {
    const query = new URLSearchParams({
      kpi_code: 'sales',
      bucket: 'daily',
      from_utc: '2025-01-01T00:00:00Z',
      to_utc: '2025-02-01T00:00:00Z',
      ...search,
    });
    const { statusCode, headers, body } = await api.app.inject({
      method: 'GET',
      url: `/ipm/kpi/chart.svg?${query.toString()}`,
      headers: { 'x-orgcode': of.orgcode, 'x-api-key': of.key },
    });
    return {
      status: statusCode,
      type: String(headers['content-type']),
      policy: String(headers['content-security-policy']),
      text: body,
    };
  };
  const aMonth = async (
    fields: object = {},
    valueOf = (day: number): number => 10 + Math.sin(day / 3) * 5,
  ): Promise<void> => {
    const days = Array.from({ length: 31 }, (_, i) => aFigure({ day: i + 1, value: valueOf(i), ...fields }));
    expect((await owner.batch(days)).body.data.rejected).toBe(0);
  };
  const aRule = (rule: object): Promise<unknown> =>
    owner.write('/kpi/rule/create', {
      rule: { kpi_code: 'sales', bucket: 'daily', comparator: 'gt', value: 14, ...rule },
    });

  it('draws a line for each series and the thresholds of the rules that watch it', async () => {
    await aMonth({ value_unit: 'EUR' });
    await aMonth({ channel_code: 'web', dimensions: { floor: 1 } });
    await aRule({ title: 'Too much' });
    await aRule({ comparator: 'lt', value: 6 });
    await aRule({ channel_code: 'phone', value: 99 });
    await aRule({ measure: 'change_percent', value: 98 });
    const { status, type, policy, text } = await chart();
    expect([status, type]).toEqual([200, 'image/svg+xml; charset=utf-8']);
    expect(policy).toContain("default-src 'none'");
    expect(text.match(/<path class="line c\d" d="M[\d. ]+(L[\d. ]+){30}"/g)).toHaveLength(2);
    expect(text.match(/class="threshold"/g)).toHaveLength(4); // each in the plot and in the legend
    for (const said of ['alert &gt; 14 · Too much', 'alert &lt; 6', 'web, floor: 1', 'sales · daily', 'EUR'])
      expect(text).toContain(said);
  });

  it('takes what kpi/query takes', async () => {
    await aMonth();
    await aMonth({ channel_code: 'web', dimensions: { floor: 1 } });
    expect((await chart({ channel_code: 'web' })).text.match(/class="line c\d" d="M/g)).toHaveLength(2); // and its legend
    expect((await chart({ dimensions: '{"floor":1}' })).text).not.toContain('c1" d=');
    expect((await chart({ limit: '3' })).text).toContain('the first 3 figures');
    const { next_token } = (await owner.query({ to_utc: '2025-02-01T00:00:00Z', limit: 60 })).body.data;
    expect(
      (await chart({ next_token: next_token.token as string })).text.match(/class="dots c\d" d="(M[^"]*)"/g),
    ).toHaveLength(2);
    const nothing = await chart({ kpi_code: 'nothing' });
    expect([nothing.status, nothing.text]).toEqual([200, expect.stringContaining('no figures in this range')]);
  });

  it.each([
    [{ bucket: 'yearly' }, 'not_one_of'],
    [{ from_utc: 'yesterday' }, 'not_a_time'],
    [{ scope: 'facility' }, 'required'],
    [{ dimensions: '[1]' }, 'not_an_object'],
    [{ dimensions: '{"a":{}}' }, 'not_flat'],
    [{ limit: 'many' }, 'not_an_integer'],
  ])('refuses %j in the envelope of all routes', async (search, tag) => {
    const { status, type, text } = await chart(search);
    expect([status, type]).toEqual([400, expect.stringContaining('application/json')]);
    expect(JSON.parse(text)).toMatchObject({ success: false, error: { details: { fields: [{ tag }] } } });
  });

  it('lets no text of a caller become anything but text, and shows nothing of others', async () => {
    const nasty = '</text><script>alert(1)</script>"\'&\u0007';
    await owner.record({
      kpi_code: nasty,
      value_unit: nasty.slice(0, 60),
      dimensions: { [nasty.slice(0, 60)]: nasty },
    });
    await owner.write('/kpi/rule/create', {
      rule: { kpi_code: nasty, bucket: 'daily', comparator: 'gt', value: 1, title: nasty },
    });
    const { text } = await chart({ kpi_code: nasty });
    expect(text).not.toContain('<script');
    expect(text).toContain('&lt;script&gt;');
    const another = await KpiOwner.of(api);
    expect((await chart({ kpi_code: nasty }, another)).text).toContain('no figures in this range');
  });

  it.each([
    ['one figure', [7]],
    ['zeros', [0, 0, 0]],
    ['tiny and huge ones', [1e-300, 9e15, -9e15]],
    ['a gap', [1, undefined, 2, 3]],
  ])('draws %s with numbers only', async (_what, values) => {
    for (const [i, value] of values.entries()) if (value !== undefined) await owner.record({ day: i + 1, value });
    const { status, text } = await chart();
    expect(status).toBe(200);
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
  });

  // The browser is a package of Debian. Without it everything above still holds of the text of the picture.
  (existsSync(CHROMIUM) ? describe : describe.skip)(`seen by ${CHROMIUM} (skipped where it is not installed)`, () => {
    let folder: string;
    beforeAll(() => (folder = mkdtempSync(path.join(tmpdir(), 'ipm-chart-'))));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    const seen = (svg: string, scheme: keyof typeof SCHEMES): Picture => {
      const [file, shot] = [path.join(folder, 'chart.svg'), path.join(folder, `${scheme}.png`)];
      writeFileSync(file, svg);
      const { status, stderr } = spawnSync(
        CHROMIUM,
        [
          '--headless',
          '--no-sandbox',
          '--disable-gpu',
          '--hide-scrollbars',
          '--force-color-profile=srgb',
          `--user-data-dir=${path.join(folder, 'profile')}`,
          `--blink-settings=preferredColorScheme=${SCHEMES[scheme]}`,
          '--window-size=960,480',
          `--screenshot=${shot}`,
          `file://${file}`,
        ],
        { timeout: 60_000 },
      );
      if (status !== 0) throw new Error(`chromium: ${String(stderr)}`);
      return readPng(readFileSync(shot));
    };
    const count = ({ width, height, at }: Picture, colour: string): number => {
      let found = 0;
      for (let y = 0; y < Math.min(height, 460); y += 1)
        for (let x = 0; x < width; x += 1) if (at(x, y) === colour) found += 1;
      return found;
    };

    it.each<[keyof typeof SCHEMES, string, string[], string]>([
      ['light', '#ffffff', ['#0b5cad', '#b3480a'], '#cf222e'],
      ['dark', '#0d1117', ['#6cb4ff', '#ffa366'], '#ff7b72'],
    ])(
      'is legible in %s: lines, thresholds and words stand out from the ground',
      async (scheme, ground, lines, threshold) => {
        await aMonth({ value_unit: 'EUR' });
        await aMonth({ channel_code: 'web' }, (day) => 8 + day / 6);
        await aRule({ title: 'Sales are high' });
        const picture = seen((await chart()).text, scheme);
        if (process.env.KEEP_CHARTS)
          writeFileSync(path.join(process.env.KEEP_CHARTS, `${scheme}.svg`), (await chart()).text);
        expect(picture.at(2, 2)).toBe(ground);
        for (const line of lines) {
          expect(count(picture, line)).toBeGreaterThan(400);
          expect(contrast(line, ground)).toBeGreaterThan(4.5);
        }
        expect(count(picture, threshold)).toBeGreaterThan(300);
        expect(contrast(threshold, ground)).toBeGreaterThan(4.5);
        const words = scheme === 'light' ? '#1f2328' : '#e6edf3';
        expect(count(picture, words)).toBeGreaterThan(50);
        expect(contrast(words, ground)).toBeGreaterThan(7);
      },
      60_000,
    );
  });
});

/** As WCAG measures it. */
function contrast(a: string, b: string): number {
  const [lighter, darker] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

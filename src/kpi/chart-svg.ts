import type { Comparator } from './threshold.js';

/** A figure in a chart. */
export interface ChartPoint {
  startMs: number;
  endMs: number;
  value: number;
}

/** One series of a chart; `label` tells it from the others. */
export interface ChartLine {
  label: string;
  points: readonly ChartPoint[];
}

export interface ChartThreshold {
  comparator: Comparator;
  value: number;
  title: string | undefined;
}

export interface Chart {
  title: string;
  unit: string | undefined;
  timeZone: string;
  fromMs: number;
  toMs: number;
  lines: readonly ChartLine[];
  thresholds: readonly ChartThreshold[];
  /** What is not in the picture, said below it. */
  note: string | undefined;
}

const WIDTH = 960;
const PLOT = { left: 84, right: 904, top: 64, bottom: 356 };
const LEGEND_TOP = 412;
const LEGEND_ROW = 22;
const LEGEND_COLUMNS = 2;
const VALUE_TICKS = 5;
const TIME_TICKS = 6;
const LABEL_LENGTH = 56;
/** Of the size of values: closer ones are the same height in a picture. */
const CLOSE = 1e-9;
const TINY = 1e-290;

/** Told apart by hue and lightness, on white as on black; the second of each pair is for dark. */
const COLOURS: readonly (readonly [light: string, dark: string])[] = [
  ['#0b5cad', '#6cb4ff'],
  ['#b3480a', '#ffa366'],
  ['#1c7a3a', '#6fd98d'],
  ['#7a3fb0', '#c79bf2'],
  ['#a3154f', '#ff8ab4'],
  ['#5f5a00', '#d6cf4a'],
];
export const MAX_LINES = COLOURS.length;

const SIGNS: Readonly<Record<Comparator, string>> = { gt: '>', gte: '≥', lt: '<', lte: '≤', eq: '=', neq: '≠' };

/** A chart as SVG that needs nothing beside itself: no script, no font, no address. It follows the reader's light or dark. */
export function chartSvg(chart: Chart): string {
  const lines = chart.lines.slice(0, MAX_LINES);
  const rows =
    Math.ceil((lines.length + chart.thresholds.length) / LEGEND_COLUMNS) + (chart.note === undefined ? 0 : 1);
  const height = LEGEND_TOP + rows * LEGEND_ROW + 8;
  const scale = scaleOf(chart, lines);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(chart.title)}">`,
    `<title>${escaped(chart.title)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${height}"/>`,
    `<text class="title" x="${PLOT.left}" y="32">${escaped(shortened(chart.title, 90))}</text>`,
    chart.unit === undefined ? '' : `<text class="note" x="${PLOT.left}" y="52">${escaped(chart.unit)}</text>`,
    ...valueAxis(scale),
    ...timeAxis(chart, scale),
    ...chart.thresholds.map(({ value }) => thresholdLine(value, scale)),
    ...lines.map(({ points }, i) => lineOf(points, i, scale)),
    lines.every(({ points }) => points.length === 0)
      ? `<text class="empty" x="${(PLOT.left + PLOT.right) / 2}" y="${(PLOT.top + PLOT.bottom) / 2}">no figures in this range</text>`
      : '',
    ...legend(lines, chart),
    '</svg>',
  ]
    .filter((part) => part !== '')
    .join('\n');
}

interface Scale {
  x: (ms: number) => number;
  y: (value: number) => number;
  ticks: number[];
}

function scaleOf({ fromMs, toMs, thresholds }: Chart, lines: readonly ChartLine[]): Scale {
  const values = [
    ...lines.flatMap(({ points }) => points.map(({ value }) => value)),
    ...thresholds.map((t) => t.value),
  ];
  const ticks = niceTicks(smallest(values), largest(values));
  const [low = 0, high = 1] = [ticks[0], ticks.at(-1)];
  const span = Math.max(1, toMs - fromMs);
  return {
    x: (ms) => PLOT.left + ((ms - fromMs) / span) * (PLOT.right - PLOT.left),
    y: (value) => PLOT.bottom - (value / (high - low) - low / (high - low)) * (PLOT.bottom - PLOT.top),
    ticks,
  };
}

/** Round numbers from below the smallest to above the largest value. What lies too close together for them counts as one. */
export function niceTicks(smallestValue: number, largestValue: number): number[] {
  const size = Math.max(Math.abs(smallestValue), Math.abs(largestValue));
  const isFlat = largestValue - smallestValue <= Math.max(size * CLOSE, TINY);
  const around = isFlat ? Math.max(size, size < TINY ? 1 : 0) : 0;
  const low = smallestValue - around / 2;
  const high = largestValue + around / 2;
  const rough = high / VALUE_TICKS - low / VALUE_TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function valueAxis({ y, ticks }: Scale): string[] {
  return ticks.map(
    (tick) =>
      `<path class="grid" d="M${PLOT.left} ${round(y(tick))}H${PLOT.right}"/><text class="tick value" x="${PLOT.left - 10}" y="${round(y(tick) + 4)}">${escaped(shortNumber(tick))}</text>`,
  );
}

function timeAxis({ fromMs, toMs, timeZone }: Chart, { x }: Scale): string[] {
  const isLong = toMs - fromMs > 3 * 24 * 3_600_000;
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    ...(isLong
      ? { day: '2-digit', month: 'short', year: 'numeric' }
      : { day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit' }),
  });
  const ticks = Array.from({ length: TIME_TICKS + 1 }, (_, i) => fromMs + ((toMs - fromMs) * i) / TIME_TICKS);
  const marks = ticks.map(
    (ms) =>
      `<path class="axis" d="M${round(x(ms))} ${PLOT.bottom}v5"/><text class="tick time" x="${round(x(ms))}" y="${PLOT.bottom + 22}">${escaped(format.format(ms))}</text>`,
  );
  return [`<path class="axis" d="M${PLOT.left} ${PLOT.bottom}H${PLOT.right}"/>`, ...marks];
}

function lineOf(points: readonly ChartPoint[], index: number, { x, y }: Scale): string {
  const places = points.map(({ startMs, value }) => `${round(x(startMs))} ${round(y(value))}`);
  const dots = places.length > 60 ? '' : places.map((place) => `M${place}h0`).join('');
  // A gap in time is a gap in the line.
  const path = points.map(({ startMs }, i) => `${i > 0 && points[i - 1]?.endMs === startMs ? 'L' : 'M'}${places[i]}`);
  return `<path class="line c${index}" d="${path.join('')}"/><path class="dots c${index}" d="${dots}${alone(points, places)}"/>`;
}

/** A figure without neighbours would be no line at all. */
function alone(points: readonly ChartPoint[], places: readonly string[]): string {
  return points
    .map(({ startMs, endMs }, i) =>
      points[i - 1]?.endMs === startMs || points[i + 1]?.startMs === endMs ? '' : `M${places[i]}h0`,
    )
    .join('');
}

function thresholdLine(value: number, { y }: Scale): string {
  return `<path class="threshold" d="M${PLOT.left} ${round(y(value))}H${PLOT.right}"/>`;
}

function legend(lines: readonly ChartLine[], { thresholds, note }: Chart): string[] {
  const entries = [
    ...lines.map(({ label }, i) => ({ mark: `line c${i}`, text: label })),
    ...thresholds.map(({ comparator, value, title }) => ({
      mark: 'threshold',
      text: `alert ${SIGNS[comparator]} ${shortNumber(value)}${title === undefined ? '' : ` · ${title}`}`,
    })),
  ];
  const shown = entries.map(({ mark, text }, i) => {
    const x = PLOT.left + (i % LEGEND_COLUMNS) * ((PLOT.right - PLOT.left) / LEGEND_COLUMNS);
    const y = LEGEND_TOP + Math.floor(i / LEGEND_COLUMNS) * LEGEND_ROW;
    return `<path class="${mark}" d="M${x} ${y - 4}h24"/><text class="legend" x="${x + 32}" y="${y}">${escaped(shortened(text, LABEL_LENGTH))}</text>`;
  });
  const below = LEGEND_TOP + Math.ceil(entries.length / LEGEND_COLUMNS) * LEGEND_ROW;
  return note === undefined
    ? shown
    : [...shown, `<text class="note" x="${PLOT.left}" y="${below}">${escaped(note)}</text>`];
}

const colours = (which: 0 | 1): string => COLOURS.map((pair, i) => `.c${i}{stroke:${pair[which]}}`).join('');

const STYLE = `text{font:13px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#1f2328}
.title{font-size:18px;font-weight:600}.note,.tick{fill:#59636e}.value{text-anchor:end}.time,.empty{text-anchor:middle}
.ground{fill:#fff}.grid{stroke:#e2e6ea}.axis{stroke:#8b949e}path{fill:none}
.line{stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.dots{stroke-width:5;stroke-linecap:round}
.threshold{stroke:#cf222e;stroke-width:1.5;stroke-dasharray:6 4}${colours(0)}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.note,.tick{fill:#9aa4af}.ground{fill:#0d1117}.grid{stroke:#2a313a}.axis{stroke:#6e7681}
.threshold{stroke:#ff7b72}${colours(1)}}`;

function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e12 || size < 1e-4)) return value.toExponential(2);
  if (size >= 1e4) return new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 2 }).format(value);
  return String(Number(value.toPrecision(6)));
}

function shortened(text: string, length: number): string {
  const letters = [...text];
  return letters.length <= length ? text : `${letters.slice(0, length - 1).join('')}…`;
}

/** Also what XML cannot hold at all. */
function escaped(text: string): string {
  return text
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function round(number: number): number {
  return Math.round(number * 10) / 10;
}

function smallest(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((least, value) => Math.min(least, value));
}

function largest(values: readonly number[]): number {
  return values.length === 0 ? 1 : values.reduce((most, value) => Math.max(most, value));
}

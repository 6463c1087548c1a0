import { Injectable } from '@nestjs/common';
import { AppError } from '../platform/errors/app-error.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import { assertStorable } from '../platform/http/body-hygiene.js';
import type { Caller } from '../platform/http/caller.js';
import { chartSvg, MAX_LINES, type ChartLine, type ChartThreshold } from './chart-svg.js';
import type { KpiChartRequest } from './kpi-chart.dto.js';
import { seriesIn } from './kpi.mapper.js';
import { KpiQuery, searchOf } from './kpi-query.service.js';
import { KpiRuleRepository } from './kpi-rule.repository.js';
import { identityHex } from './kpi-series.repository.js';
import type { SeriesKey } from './kpi-series.js';
import type { SeriesSnapshot } from './kpi-snapshot.repository.js';
import { OrganisationCalendars } from './organisation-calendars.service.js';
import { watches } from './rule-verdict.js';
import type { Comparator } from './threshold.js';

const MAX_FIGURES = 2_000;
const MAX_THRESHOLDS = 6;
const MAX_UNITS = 3;

/** Figures as a picture. */
@Injectable()
export class KpiChart {
  constructor(
    private readonly figures: KpiQuery,
    private readonly rules: KpiRuleRepository,
    private readonly calendars: OrganisationCalendars,
  ) {}

  async draw({ orgcode }: Caller, request: KpiChartRequest): Promise<string> {
    const { limit, next_token, dimensions, ...fields } = request;
    const search = searchOf({ ...fields, dimensions: dimensionsIn(dimensions) });
    const atMost = limit === undefined ? MAX_FIGURES : Math.min(Math.max(Number(limit), 1), MAX_FIGURES);
    const token = next_token === undefined ? undefined : { token: next_token };
    const found = await this.figures.rows(orgcode, search, token, atMost + 1);
    const rows = found.slice(0, atMost);
    const series = seriesOf(rows);
    const { timeZone } = await this.calendars.of(orgcode);
    return chartSvg({
      title: [search.kpiCode, search.logicalGuid, search.bucket].filter(Boolean).join(' · '),
      unit: unitsOf(rows),
      timeZone,
      fromMs: search.period.start.getTime(),
      toMs: search.period.end.getTime(),
      lines: series.map(({ line }) => line),
      thresholds: await this.thresholds(
        orgcode,
        series.map(({ key }) => key),
      ),
      note: noteOf(found.length > atMost, atMost, series.length),
    });
  }

  /** Of the active rules over the value that watch what is drawn. */
  private async thresholds(orgcode: string, keys: readonly SeriesKey[]): Promise<ChartThreshold[]> {
    const [first] = keys;
    if (!first) return [];
    const rules = await this.rules.activeOf(orgcode, first.kpiCode);
    return rules
      .filter((rule) => rule.measure === 'value' && keys.some((key) => watches(rule, key)))
      .slice(0, MAX_THRESHOLDS)
      .map(({ comparator, threshold, title }) => ({
        comparator: comparator as Comparator,
        value: threshold,
        title: title ?? undefined,
      }));
  }
}

function seriesOf(rows: readonly SeriesSnapshot[]): { key: SeriesKey; line: ChartLine }[] {
  const series = new Map<string, { key: SeriesKey; rows: SeriesSnapshot[] }>();
  for (const row of rows) {
    const key = seriesIn(row);
    const identity = identityHex(key);
    const known = series.get(identity) ?? { key, rows: [] };
    known.rows.push(row);
    series.set(identity, known);
  }
  return [...series.values()].map(({ key, rows: ofOne }) => ({
    key,
    line: {
      label: labelOf(key),
      points: ofOne.map(({ bucketStart, bucketEnd, value }) => ({
        startMs: bucketStart.getTime(),
        endMs: bucketEnd.getTime(),
        value,
      })),
    },
  }));
}

function unitsOf(rows: readonly SeriesSnapshot[]): string | undefined {
  const units = new Set(rows.flatMap(({ valueUnit }) => (valueUnit === null ? [] : [valueUnit])));
  return units.size === 0 ? undefined : [...units].slice(0, MAX_UNITS).join(', ');
}

function labelOf({ kpiCode, channelCode, dimensions }: SeriesKey): string {
  const parts = [channelCode, ...Object.entries(dimensions).map(([name, value]) => `${name}: ${String(value)}`)];
  return parts.filter((part) => part !== undefined).join(', ') || kpiCode;
}

function noteOf(isCut: boolean, atMost: number, series: number): string | undefined {
  const notes = [
    ...(isCut ? [`the first ${atMost} figures of the range`] : []),
    ...(series > MAX_LINES ? [`${MAX_LINES} of ${series} series`] : []),
  ];
  return notes.length > 0 ? `Shown: ${notes.join(', ')}.` : undefined;
}

/** JSON in the address, as dimensions are in the body of a query. */
function dimensionsIn(text: string | undefined): object | undefined {
  if (text === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    assertStorable(parsed);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  } catch (error) {
    if (error instanceof AppError) throw error;
  }
  throw new AppError(platformErrors.requestInvalid, { fields: [{ path: 'dimensions', tag: 'not_an_object' }] });
}

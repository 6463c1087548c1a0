import { Injectable } from '@nestjs/common';
import { AppError } from '../platform/errors/app-error.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import type { Caller } from '../platform/http/caller.js';
import { clampLimit, Paging, type PageScope } from '../platform/http/paging.js';
import type { KpiQueryRequest, KpiSeries } from './kpi.dto.js';
import { placeProblems } from './kpi-figure.js';
import { listedToWire } from './kpi.mapper.js';
import { seriesKeyOf } from './kpi-series.js';
import { KpiSnapshotRepository, type SeriesSnapshot, type SnapshotSearch } from './kpi-snapshot.repository.js';

/** Figures by the start of their buckets. */
@Injectable()
export class KpiQuery {
  constructor(
    private readonly snapshots: KpiSnapshotRepository,
    private readonly paging: Paging,
  ) {}

  async query({ orgcode }: Caller, request: KpiQueryRequest): Promise<KpiSeries> {
    const search = searchOf(request);
    const limit = clampLimit(request.limit);
    const rows = await this.rows(orgcode, search, request.next_token, limit + 1);
    const { items, ...more } = this.paging.page(rows, limit, scopeOfPages(orgcode, search), {
      position: (row) => [row.bucketStart.getTime(), String(row.series)],
      item: listedToWire,
    });
    return { series: items, ...more };
  }

  /** Those after the place of a token, in order. */
  rows(orgcode: string, search: SnapshotSearch, token: object | undefined, atMost: number): Promise<SeriesSnapshot[]> {
    const [startMs, series] = this.paging.positionAfter(token, scopeOfPages(orgcode, search)) ?? [];
    const after =
      startMs === undefined ? undefined : { bucketStart: new Date(startMs), series: BigInt(series as string) };
    return this.snapshots.page(orgcode, search, after, atMost);
  }
}

function scopeOfPages(orgcode: string, search: SnapshotSearch): PageScope {
  return { orgcode, list: 'kpi/query', filters: filtersOf(search) };
}

export function searchOf(request: Omit<KpiQueryRequest, 'limit' | 'next_token'>): SnapshotSearch {
  const fields = placeProblems(request);
  if (fields.length > 0) throw new AppError(platformErrors.requestInvalid, { fields });
  return { ...seriesKeyOf(request), period: { start: new Date(request.from_utc), end: new Date(request.to_utc) } };
}

/** In a form that tokens are bound to: two ways to write one instant, or the same dimensions, are one filter. */
function filtersOf({ period, dimensions, ...search }: SnapshotSearch): Record<string, unknown> {
  return {
    ...search,
    dimensions: Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1)),
    from: period.start.getTime(),
    to: period.end.getTime(),
  };
}

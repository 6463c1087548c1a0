import { writeGrounds, type ApiAnswer, type TestApi } from './api.js';

export type Figure = Record<string, unknown>;

/** An organisation with figures. */
export class KpiOwner {
  private constructor(
    readonly api: TestApi,
    readonly orgcode: string,
    readonly key: string,
  ) {}

  static async of(api: TestApi): Promise<KpiOwner> {
    const { orgcode, key } = await api.anOwner();
    return new KpiOwner(api, orgcode, key);
  }

  call(path: string, body: object, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    return this.api.call(path, body, { orgcode: this.orgcode, key: this.key, headers });
  }

  write(path: string, body: object, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    return this.call(path, { ...writeGrounds(this.orgcode), ...body }, headers);
  }

  record(kpi: Figure = {}, more: object = {}, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    return this.write('/kpi/record', { kpi: aFigure(kpi), ...more }, headers);
  }

  batch(kpis: readonly unknown[], more: object = {}): Promise<ApiAnswer> {
    return this.write('/kpi/record/batch', { kpis, ...more });
  }

  query(search: object = {}): Promise<ApiAnswer> {
    return this.call('/kpi/query', {
      kpi_code: 'sales',
      bucket: 'daily',
      from_utc: '2025-01-01T00:00:00Z',
      to_utc: '2026-01-01T00:00:00Z',
      ...search,
    });
  }

  async series(search: object = {}): Promise<Figure[]> {
    return (await this.query({ limit: 256, ...search })).body.data.series as Figure[];
  }

  /** Sets what is named of the organisation's settings. */
  async settings(fields: object): Promise<void> {
    const { org } = (await this.call('/access/org/get', {})).body.data;
    const set = await this.write('/access/org/set', { ...fields, expected_revision: org.revision });
    if (set.status !== 200) throw new Error(`access/org/set: ${JSON.stringify(set.body.error)}`);
  }

  /** What IPM said about alerts, in order. */
  async alertEvents(): Promise<{ action: string; payload: Record<string, unknown>; logical_guid?: string }[]> {
    const { body } = await this.call('/cdc/list', { service: 'ipm', limit: 256 });
    return (body.data.items as { action: string; payload: Record<string, unknown> }[]).filter(({ action }) =>
      action.startsWith('kpi.'),
    );
  }
}

/** A figure of a day of 2025, the first unless `day` says another one. */
export function aFigure({ day = 1, ...fields }: Figure & { day?: number } = {}): Figure {
  return { kpi_code: 'sales', bucket: 'daily', ...aDay(day), value: 12.5, ...fields };
}

export function aDay(day: number): { bucket_start: string; bucket_end: string } {
  const at = (n: number): string => new Date(Date.UTC(2025, 0, n)).toISOString().replace('.000Z', 'Z');
  return { bucket_start: at(day), bucket_end: at(day + 1) };
}

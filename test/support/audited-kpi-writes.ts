import { writeGrounds } from './api.js';
import { aFigure } from './kpis.js';

export interface WriteUnderTest {
  /** The body, without the grounds, of a write that succeeds. */
  body: () => Promise<object>;
  resource: string;
  /** What exists only after the write has nothing before it. */
  creates?: true;
  refusal: { body: () => Promise<object>; status: number; tag: string };
}

/** Answers the `data` of a write. */
export type Written = (path: string, body: object) => Promise<Record<string, unknown>>;

/** The writes of room `kpi`. */
export function kpiWrites(data: Written): Record<string, WriteUnderTest> {
  let figures = 0;
  const aNewFigure = (): object => ({ ...aFigure({ day: (figures += 1) }) });
  const anAlert = { ...aFigure(), threshold: { comparator: 'gt', value: 1 } };
  const aRule = { kpi_code: 'sales', bucket: 'daily', comparator: 'gt', value: 1_000 };
  const aRollup = {
    kpi_code: 'sales',
    from_bucket: 'daily',
    to_bucket: 'monthly',
    aggregate: 'sum',
    from_utc: '2025-01-01T00:00:00Z',
    to_utc: '2025-02-01T00:00:00Z',
  };
  const aRuleId = async (): Promise<string> =>
    ((await data('/kpi/rule/create', { rule: aRule })).rule as { rule_id: string }).rule_id;

  return {
    'kpi/record': {
      body: async () => ({ kpi: aNewFigure() }),
      resource: 'kpi',
      creates: true,
      refusal: { body: async () => ({ kpi: { ...aNewFigure(), bucket: 'weekly' } }), status: 400, tag: 'kpi_invalid' },
    },
    'kpi/record/batch': {
      body: async () => ({ kpis: [aNewFigure()] }),
      resource: 'kpi_batch',
      creates: true,
      refusal: {
        body: async () => ({ kpis: [aNewFigure()], ...writeGrounds('elsewhere') }),
        status: 400,
        tag: 'orgcode_mismatch',
      },
    },
    'kpi/alert': {
      body: async () => ({ alert: anAlert }),
      resource: 'kpi_alert',
      creates: true,
      refusal: {
        body: async () => ({ alert: { ...anAlert, value: 1 } }),
        status: 422,
        tag: 'threshold_not_breached',
      },
    },
    'kpi/rollup': {
      body: async () => ({ rollup: { ...aRollup, into_kpi_code: `sales_${(figures += 1)}` } }),
      resource: 'kpi_rollup',
      creates: true,
      refusal: {
        body: async () => ({ rollup: { ...aRollup, to_bucket: 'daily' } }),
        status: 400,
        tag: 'kpi_invalid',
      },
    },
    'kpi/rule/create': {
      body: async () => ({ rule: aRule }),
      resource: 'kpi_rule',
      creates: true,
      refusal: {
        body: async () => ({ rule: { ...aRule, comparator: undefined } }),
        status: 400,
        tag: 'kpi_rule_invalid',
      },
    },
    'kpi/rule/status/set': {
      body: async () => ({ rule_id: await aRuleId(), status: 'paused', expected_revision: '1' }),
      resource: 'kpi_rule',
      refusal: {
        body: async () => ({ rule_id: 'nobodys', status: 'paused', expected_revision: '1' }),
        status: 404,
        tag: 'kpi_rule_not_found',
      },
    },
    'kpi/rule/delete': {
      body: async () => ({ rule_id: await aRuleId(), expected_revision: '1' }),
      resource: 'kpi_rule',
      refusal: {
        body: async () => ({ rule_id: 'nobodys', expected_revision: '1' }),
        status: 404,
        tag: 'kpi_rule_not_found',
      },
    },
  };
}

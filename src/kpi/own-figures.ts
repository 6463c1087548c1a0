import type { Period } from './bucket-time.js';
import type { FigureToRecord } from './kpi-recorder.service.js';

/** What IPM did for an organisation in some time. */
export interface OwnWork {
  events: number;
  imported: number;
  delivered: number;
  failed: number;
  dead: number;
  successRatio: number | undefined;
  p95AgeMs: number | undefined;
  lagSeconds: number;
}

export const OWN_KPIS = {
  events: 'ipm.events_accepted',
  imported: 'ipm.import_lines',
  delivered: 'ipm.deliveries',
  successRatio: 'ipm.delivery_success_ratio',
  p95AgeMs: 'ipm.delivery_p95_age',
  dead: 'ipm.dead_letters',
  lagSeconds: 'ipm.feed_lag',
} as const;

const UNITS: Readonly<Record<keyof typeof OWN_KPIS, string>> = {
  events: 'events',
  imported: 'lines',
  delivered: 'deliveries',
  successRatio: 'ratio',
  p95AgeMs: 'ms',
  dead: 'deliveries',
  lagSeconds: 's',
};

/** As figures of a bucket; none of a time in which nothing happened, and none of what has no value. */
export function ownFigures(bucket: 'hourly' | 'daily', period: Period, work: OwnWork): FigureToRecord[] {
  const calls = work.delivered + work.failed;
  if (work.events + calls + work.dead === 0) return [];
  const names = Object.keys(OWN_KPIS) as (keyof typeof OWN_KPIS)[];
  return names.flatMap((name) => {
    const value = work[name];
    if (value === undefined) return [];
    const sampleCount = name === 'successRatio' ? calls : name === 'p95AgeMs' ? work.delivered : undefined;
    return [
      {
        ...period,
        key: { ...EVERYWHERE, kpiCode: OWN_KPIS[name], bucket },
        kpiId: undefined,
        value,
        valueUnit: UNITS[name],
        sampleCount,
        computedAt: new Date(),
        policyRefs: undefined,
        expectedRevision: undefined,
      },
    ];
  });
}

const EVERYWHERE = { scope: 'org', logicalGuid: undefined, channelCode: undefined, dimensions: {} } as const;

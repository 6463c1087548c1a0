import { Metrics } from '../../src/platform/telemetry/metrics.js';
import type { TestApi } from './api.js';

/** Of a metric by its whole name, labels included; undefined where it is not shown. */
export function metricIn(text: string, name: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.split(' ')[1]);
}

/** What a process has counted so far. */
export async function counted({ app }: TestApi, name: string): Promise<number> {
  return metricIn(await app.get(Metrics).text(), name) ?? 0;
}

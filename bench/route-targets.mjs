import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

const contract = path.resolve(import.meta.dirname, '../contract/ipm.openapi.yaml');
const TIMES_ITS_RATE = 10;
const SHARE_OF_ITS_P95 = 1 / 5;

/** Every route of the contract, with the rate at which it is called and the p95 in milliseconds that it may have. */
export function routeTargets() {
  const { paths } = parse(readFileSync(contract, 'utf8'));
  return Object.entries(paths).flatMap(([place, methods]) =>
    Object.entries(methods).map(([method, promise]) => ({
      operation: place.slice(1),
      method: method.toUpperCase(),
      rate: promise['x-qps-target'] * TIMES_ITS_RATE,
      atMost: promise['x-latency-p95-ms'] * SHARE_OF_ITS_P95,
    })),
  );
}

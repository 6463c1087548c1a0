import type { EnvironmentReader } from './environment-reader.js';

/** Where traces go, in the variables that OpenTelemetry has named. */
export interface TracingConfiguration {
  /** The collector's base; traces go to `/v1/traces` below it. */
  endpoint: string;
  headers: Readonly<Record<string, string>>;
  serviceName: string;
  /** Of the traces that begin here; those that callers bring are kept as they say. */
  share: number;
}

/** Without a collector nothing is traced. */
export function readTracingConfiguration(read: EnvironmentReader): TracingConfiguration | undefined {
  const endpoint = read.url('OTEL_EXPORTER_OTLP_ENDPOINT', ['http:', 'https:']);
  const serviceName = read.text('OTEL_SERVICE_NAME', 'ipm');
  const headers = headersIn(read);
  const share = shareIn(read);
  return endpoint === undefined ? undefined : { endpoint: endpoint.replace(/\/+$/, ''), headers, serviceName, share };
}

function shareIn(read: EnvironmentReader): number {
  const share = Number(read.text('OTEL_TRACES_SAMPLER_ARG', '1'));
  if (!(share >= 0 && share <= 1)) read.problem('OTEL_TRACES_SAMPLER_ARG', 'must be a number from 0 to 1');
  return share;
}

function headersIn(read: EnvironmentReader): Record<string, string> {
  const pairs = read.list('OTEL_EXPORTER_OTLP_HEADERS').map((pair): [string, string] => {
    const at = pair.indexOf('=');
    if (at < 1) read.problem('OTEL_EXPORTER_OTLP_HEADERS', 'must be a list of name=value');
    return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
  });
  return Object.fromEntries(pairs);
}

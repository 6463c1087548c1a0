import { readFileSync } from 'node:fs';
import net from 'node:net';
import { DeliveryStage } from './delivery-stage.js';
import { certificateFile, HOSTILE_ENDPOINTS, runEndpoint, type RunningEndpoint } from './hostile-endpoints.js';
import { changed, type WorkerChange } from './worker-change.js';
import { until } from '../../support/until.js';

export const TIMEOUT_MS = 1_000;
const ENDED_WITHIN_MS = 20_000;

/** What became of the deliveries to one endpoint. */
export interface HostileOutcome {
  what: string;
  comesTo: string;
  attempts: number;
  slowestMs: number;
  excerpt: string | null;
}

export interface HostileReport {
  outcomes: HostileOutcome[];
  isAlive: boolean;
  grownMb: number;
  /** Connections to an address that nobody has allowed. */
  forbidden: number;
  /** Cookies that callers sent back. */
  cookies: number;
}

interface Row {
  webhookId: string;
  status: string;
  tag: string | null;
  attempts: number;
  slowestMs: number;
  excerpt: string | null;
}

const ROWS = `
  select w.webhook_id as "webhookId", d.status::text, d.error_tag as tag, d.attempts::int, d.excerpt,
    greatest(d.duration_ms, (select max(a.duration_ms) from delivery_attempt a where a.lane = d.lane))::int as "slowestMs"
  from delivery d join webhook w using (lane)`;

/** F10. One webhook for each hostile endpoint, all called at once by one worker, so many times each. */
export async function hostileTrial(events: number, ...sabotage: WorkerChange[]): Promise<HostileReport> {
  const stage = await DeliveryStage.open({
    WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/16',
    WEBHOOK_CA_FILE: certificateFile('ca'),
    DELIVERY_LEASE_SECONDS: '60',
  });
  const endpoints = await Promise.all(HOSTILE_ENDPOINTS.map(runEndpoint));
  const forbidden = await forbiddenListeners(endpoints);
  try {
    const worker = await stage.worker(changed('other-names', ...sabotage));
    const pid = worker.child.pid!;
    const before = memoryMb(pid);
    const webhooks = new Map<string, RunningEndpoint>();
    for (const endpoint of endpoints) webhooks.set(await webhookOf(stage, endpoint), endpoint);
    let most = before;
    const watch = setInterval(() => (most = Math.max(most, memoryMb(pid))), 100);
    for (let event = 0; event < events; event += 1)
      await stage.publishFor(stage.scenes[0]!, 1, () => ({ service: 'hostile' }));
    const rowsNow = (): Promise<Row[]> => stage.database.asOwner<Row>(ROWS);
    const areEnded = (rows: Row[]): boolean => rows.filter(isEnded).length === endpoints.length * events;
    await until(async () => areEnded(await rowsNow()), ENDED_WITHIN_MS).finally(() => clearInterval(watch));
    const rows = await rowsNow();
    return {
      outcomes: rows.flatMap((row) => outcomeOf(row, webhooks.get(row.webhookId))),
      isAlive: worker.child.exitCode === null && worker.child.signalCode === null,
      grownMb: Math.round(most - before),
      forbidden: forbidden.connections,
      cookies: endpoints.flatMap(({ heard }) => heard).filter((text) => /^cookie:/im.test(text)).length,
    };
  } finally {
    for (const { close } of endpoints) close();
    forbidden.close();
    await stage.close();
  }
}

function isEnded({ status }: Row): boolean {
  return status === 'dead' || status === 'delivered';
}

async function webhookOf(stage: DeliveryStage, { url, attempts = 1, what }: RunningEndpoint): Promise<string> {
  const { webhook_id } = await stage.scenes[0]!.webhook({
    endpoint_url: `${url}/in`,
    event_filters: [{ service: 'hostile' }],
    timeout_ms: TIMEOUT_MS,
    retry_schedule: attempts === 1 ? [0] : [0, 1],
    auto_pause: { never: true },
    caption: what,
  });
  return webhook_id;
}

function outcomeOf(row: Row, endpoint: RunningEndpoint | undefined): HostileOutcome[] {
  if (!endpoint) return [];
  const { status, tag, attempts, slowestMs, excerpt } = row;
  const comesTo = status === 'dead' ? String(tag) : status;
  return [{ what: endpoint.what, comesTo, attempts, slowestMs, excerpt }];
}

/** At each port of an endpoint, where a name or a redirect might lead. */
async function forbiddenListeners(
  endpoints: readonly RunningEndpoint[],
): Promise<{ readonly connections: number; close: () => void }> {
  let connections = 0;
  const listen = (port: number): Promise<net.Server> =>
    new Promise((resolve, reject) => {
      const server = net.createServer((socket) => {
        connections += 1;
        socket.destroy();
      });
      server.on('error', reject);
      server.listen(port, '127.1.0.1', () => resolve(server));
    });
  const ports = endpoints.filter(({ host }) => host).map(({ url }) => Number(new URL(url).port));
  const servers = await Promise.all([...ports, 0].map(listen));
  return {
    get connections() {
      return connections;
    },
    close: () => servers.forEach((server) => server.close()),
  };
}

function memoryMb(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1_024;
}

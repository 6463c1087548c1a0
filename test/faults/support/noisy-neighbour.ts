import { setTimeout as sleep } from 'node:timers/promises';
import type { Subscriber } from './delivery-ledger.js';
import type { DeliveryStage, Settings } from './delivery-stage.js';

export interface Noise {
  /** Of the noisy organisation, each for every one of its endpoints that hang. */
  events: number;
  hanging: number;
  /** So many of them are in the tables at least before the neighbour is measured once more. */
  waiting: number;
  /** Of its neighbour, one after the other. */
  samples: number;
}

export interface NoiseReport {
  quietP95Ms: number;
  /** The worse of two: while the mountain grows, and when it is there. */
  noisyP95Ms: number;
  /** Of the noisy one, in the tables and not sent, while the neighbour was measured. */
  waiting: number;
}

const HANGS_MS = 15_000;
const BETWEEN_MS = 15;
const ARRIVES_WITHIN_MS = 20_000;
const GROWS_WITHIN_MS = 120_000;

/** F9. One organisation has a mountain of deliveries for endpoints that hang; what that costs its neighbour. */
export async function noisyNeighbour(stage: DeliveryStage, noise: Noise, change: Settings = {}): Promise<NoiseReport> {
  const [noisy, neighbour] = stage.scenes;
  await stage.worker({ DELIVERY_LEASE_SECONDS: '60', ...change });
  const hanging: Subscriber[] = [];
  while (hanging.length < noise.hanging) hanging.push(await stage.webhook(noisy!, ['slow']));
  const paths = new Set(hanging.map(({ path }) => path));
  stage.sink.answer = ({ path }) => (paths.has(path) ? { afterMs: HANGS_MS } : undefined);
  await delays(stage, neighbour!.orgcode, 20); // warms up
  const quiet = await delays(stage, neighbour!.orgcode, noise.samples);
  await stage.publishFor(noisy!, noise.events, () => ({ service: 'slow' }));
  await sleep(2_000);
  const growing = await delays(stage, neighbour!.orgcode, noise.samples);
  const waiting = await waitingOf(stage, noisy!.orgcode, noise.waiting);
  const grown = await delays(stage, neighbour!.orgcode, noise.samples);
  return { quietP95Ms: p95(quiet), noisyP95Ms: Math.max(p95(growing), p95(grown)), waiting };
}

/** Once they are so many, or do not become more. */
async function waitingOf(stage: DeliveryStage, orgcode: string, atLeast: number): Promise<number> {
  let waiting = 0;
  for (const deadline = Date.now() + GROWS_WITHIN_MS; waiting < atLeast && Date.now() < deadline; await sleep(500)) {
    const [row] = await stage.database.asOwner<{ waiting: number }>(
      `select count(*)::int as waiting from delivery where orgcode = $1 and status in ('scheduled', 'sending')`,
      [orgcode],
    );
    waiting = row!.waiting;
  }
  return waiting;
}

/** From before the call to the arrival. */
async function delays(stage: DeliveryStage, orgcode: string, samples: number): Promise<number[]> {
  const scene = stage.scenes.find((one) => one.orgcode === orgcode)!;
  const { path } = stage.ledger.webhooks.find((one) => one.orgcode === orgcode)!;
  const from = stage.sink.at(path).length;
  const saidMs: number[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    saidMs.push(Date.now());
    await stage.publishFor(scene, 1, () => ({ service: 'pos' }));
    await sleep(BETWEEN_MS);
  }
  const deadline = Date.now() + ARRIVES_WITHIN_MS;
  while (stage.sink.at(path).length < from + samples && Date.now() < deadline) await sleep(20);
  const arrivals = stage.sink.at(path).slice(from);
  return saidMs.map((atMs, i) => (arrivals[i]?.atMs ?? Date.now()) - atMs);
}

function p95(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? NaN;
}

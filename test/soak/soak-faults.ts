import { setTimeout as sleep } from 'node:timers/promises';
import type { Subscriber } from '../faults/support/delivery-ledger.js';
import type { SceneWebhook } from '../support/delivery-scene.js';
import { ASK_AGAIN_MS, COMES_BACK_WITHIN_MS } from './again.js';
import { harmless, type Blow, type Fault, type Ground } from './fault.js';
import { PROCESS_FAULTS } from './process-faults.js';
import { SERVER_FAULTS } from './server-faults.js';
import type { SoakStage } from './soak-stage.js';

export const FAULTS: readonly Fault[] = [
  ...PROCESS_FAULTS,
  ...SERVER_FAULTS,
  { name: 'a webhook is paused for a while', target: 'webhooks', meets: 'paused', strike: pausedWebhook },
  { name: 'an endpoint fails for a while', target: 'endpoints', meets: 'calls it refused', strike: failingEndpoint },
];

async function pausedWebhook({ stage, random }: Ground): Promise<Blow> {
  const webhook = random.pick(stage.ledger.deliveries.webhooks);
  await setTo(stage, webhook, 'paused');
  await sleep(random.between(1_000, 8_000));
  await setTo(stage, webhook, 'active');
  return harmless();
}

async function failingEndpoint({ stage, endpoints, random }: Ground): Promise<Blow> {
  const { path } = random.pick(stage.ledger.deliveries.webhooks);
  endpoints.fails(path);
  await sleep(random.between(2_000, 8_000));
  return harmless(endpoints.isMended(path));
}

/** Until it is so: answers may be lost, and whoever asks again with the revision of before is refused. */
export async function setTo(stage: SoakStage, { orgcode, webhookId }: Subscriber, status: string): Promise<void> {
  const scene = stage.scenes.find((one) => one.orgcode === orgcode)!;
  const webhook = { webhook_id: webhookId } as SceneWebhook;
  for (const deadline = Date.now() + COMES_BACK_WITHIN_MS; Date.now() < deadline; await sleep(ASK_AGAIN_MS)) {
    if ((await scene.get(webhook)).status === status) return;
    await scene.setStatus(webhook, status);
  }
  throw new Error(`${webhookId} did not become ${status}`);
}

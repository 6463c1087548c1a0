import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../support/until.js';
import type { SceneWebhook } from '../../support/delivery-scene.js';
import type { SinkAnswer } from '../../support/webhook-sink.js';
import type { Subscriber } from './delivery-ledger.js';
import type { DeliveryOutcome, DeliveryStage, Settings } from './delivery-stage.js';

export interface Flapping {
  rounds: number;
  /** How long an owner and the endpoint interfere in each round. */
  roundMs: number;
  endsWithinMs: number;
}

/** After six failures in a row, however fast they come. */
export const EASILY_PAUSED = {
  WEBHOOK_AUTO_PAUSE_FAILURES: '6',
  WEBHOOK_AUTO_PAUSE_AFTER_SECONDS: '0',
  DELIVERY_LEASE_SECONDS: '20', // calls that are answered late have ten of them
};

const ALL_SENT_WITHIN_MS = 500;
const PAUSED_WITHIN_MS = 10_000;
const TOLD_WITHIN_MS = 1_500;
const JUDGED_WITHIN_MS = 1_500;

interface Act {
  actor: string;
  was: string;
  becomes: string;
  revision: string;
}

/**
 * F18. An endpoint fails and comes back around the threshold while its owner sets it active, and sometimes paused, through two workers.
 * In the end it is active and answers, and everything has arrived.
 */
export async function flappingEndpoint(stage: DeliveryStage, flapping: Flapping): Promise<DeliveryOutcome> {
  const webhook = stage.ledger.webhooks[0]!;
  let isDown = false;
  stage.sink.answer = ({ path }) => ({
    afterMs: stage.random.between(0, 40),
    ...(path === webhook.path && (isDown || stage.random.happens(0.2)) && { status: 500 }),
  });
  await Promise.all([stage.worker(), stage.worker()]);
  await stage.underLoad(async () => {
    for (let round = 0; round < flapping.rounds; round += 1) {
      isDown = true;
      await interfere(stage, webhook, flapping.roundMs);
      isDown = false;
      await interfere(stage, webhook, flapping.roundMs);
    }
  }, 150);
  stage.sink.answer = () => undefined;
  await untilActive(stage, webhook);
  await stage.quiet(flapping.endsWithinMs);
  return judgedByActs(stage, webhook, await stage.outcome(Infinity));
}

/**
 * Calls of one activation fail late: when the webhook was paused by the first of them, and its owner has set it active again. The new
 * activation has not failed, and stays.
 */
export async function lateFailures(
  stage: DeliveryStage,
  endsWithinMs: number,
  change: Settings = {},
): Promise<DeliveryOutcome> {
  const webhook = stage.ledger.webhooks[0]!;
  await stage.worker(change);
  const lateAnswer = new AnswerLater();
  let [calls, isMended] = [0, false];
  stage.sink.answer = ({ path }) => {
    if (path !== webhook.path) return undefined;
    if (isMended) return { afterMs: TOLD_WITHIN_MS + JUDGED_WITHIN_MS }; // so that no success comes between
    calls += 1;
    return calls > 15 ? lateAnswer.given : { status: 500, afterMs: ALL_SENT_WITHIN_MS }; // or it is paused before the others are on their way
  };
  await stage.publishFor(stage.scenes[0]!, 50, () => ({ service: 'pos' }));
  await until(async () => (await statusOf(stage, webhook)) === 'paused', PAUSED_WITHIN_MS);
  isMended = true;
  await setStatus(stage, webhook, 'active');
  await sleep(TOLD_WITHIN_MS); // workers know of it by then
  lateAnswer.give({ status: 500 });
  await sleep(JUDGED_WITHIN_MS);
  const figures = { isPausedAgain: (await statusOf(stage, webhook)) === 'paused' ? 1 : 0 };
  await stage.quiet(endsWithinMs);
  return judgedByActs(stage, webhook, await stage.outcome(Infinity, figures));
}

/** To whom all calls that wait are answered at once. */
class AnswerLater {
  private resolve: (answer: SinkAnswer) => void = () => undefined;
  readonly given = new Promise<SinkAnswer>((resolve) => (this.resolve = resolve));

  give(answer: SinkAnswer): void {
    this.resolve(answer);
  }
}

/** An owner who wants it active, and now and then pauses it for a moment. */
async function interfere(stage: DeliveryStage, webhook: Subscriber, forMs: number): Promise<void> {
  for (const until = Date.now() + forMs; Date.now() < until; await sleep(stage.random.between(20, 120))) {
    if ((await statusOf(stage, webhook)) === 'paused') await setStatus(stage, webhook, 'active');
    else if (stage.random.happens(0.2)) await setStatus(stage, webhook, 'paused');
  }
}

async function untilActive(stage: DeliveryStage, webhook: Subscriber): Promise<void> {
  await sleep(JUDGED_WITHIN_MS); // calls that were answered 500 are judged by then
  await until(async () => {
    if ((await statusOf(stage, webhook)) === 'active') return true;
    await setStatus(stage, webhook, 'active');
    return false;
  });
}

async function statusOf(stage: DeliveryStage, { webhookId }: Subscriber): Promise<unknown> {
  return (await stage.scenes[0]!.get({ webhook_id: webhookId } as SceneWebhook)).status;
}

/** 409 where somebody was faster, which is the point of it. */
async function setStatus(stage: DeliveryStage, { webhookId }: Subscriber, status: string): Promise<void> {
  const code = await stage.scenes[0]!.setStatus({ webhook_id: webhookId } as SceneWebhook, status);
  if (code !== 200 && code !== 409) throw new Error(`status/set was answered ${code}`);
}

/** Each act goes on from the one before: nothing is paused twice in one activation, nor without a row that tells of it. */
async function judgedByActs(
  { database }: DeliveryStage,
  { orgcode, webhookId }: Subscriber,
  outcome: DeliveryOutcome,
): Promise<DeliveryOutcome> {
  const acts = await database.asOwner<Act>(
    `select actor, before ->> 'status' as was, after ->> 'status' as becomes, after ->> 'revision' as revision from audit_event
     where orgcode = $1 and event_type = 'webhook/status/set' and resource_id = $2 and outcome = 'done' order by (after ->> 'revision')::bigint`,
    [orgcode, webhookId],
  );
  const told = await database.asOwner<{ revision: string }>(
    `select envelope::jsonb #>> '{payload,revision}' as revision from event
     where orgcode = $1 and service = 'ipm' and action = 'webhook.auto_paused' and envelope::jsonb #>> '{payload,webhook_id}' = $2
     order by position`,
    [orgcode, webhookId],
  );
  const byItself = acts.filter(({ actor }) => actor === 'ipm').map(({ revision }) => revision);
  const steps = acts.filter(
    ({ actor, was, becomes }, i) => (actor === 'ipm' && was === becomes) || was !== (acts[i - 1]?.becomes ?? 'active'),
  );
  const complaints = [
    ...steps.map(({ was, becomes, revision }) => `acts: ${was} to ${becomes} at revision ${revision}`),
    ...(byItself.join() === told.map(({ revision }) => revision).join()
      ? []
      : [`acts: ${byItself} and ${told.length} told`]),
  ];
  return {
    ...outcome,
    complaints: [...outcome.complaints, ...complaints],
    figures: { ...outcome.figures, acts: acts.length, pausedByItself: byItself.length },
  };
}

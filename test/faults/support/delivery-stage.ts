import { setTimeout as sleep } from 'node:timers/promises';
import { TestApi } from '../../support/api.js';
import { DeliveryScene } from '../../support/delivery-scene.js';
import { ProductProcess } from '../../support/product-process.js';
import { WebhookSink } from '../../support/webhook-sink.js';
import { DeliveryLedger, type DeliveryFigures, type Subscriber } from './delivery-ledger.js';
import { deliveryState, isQuiet, watchDeliveries } from './delivery-state.js';
import { Random } from './random.js';
import { somethingHappens } from './said-event.js';

export type Settings = Record<string, string | undefined>;

export interface DeliveryOutcome {
  seed: number;
  complaints: string[];
  figures: DeliveryFigures & Record<string, number>;
}

const SERVICES = ['pos', 'pim', 'wms'] as const;
const EVENTS_A_CALL = 50;
const BUSY_WITHIN_MS = 10_000;

/** As quick as leases and retries may be; endpoints are on this machine. */
const QUICK: Settings = {
  WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8',
  WEBHOOK_RETRY_SCHEDULE: '0,0.1,0.2,0.4,0.8,1,1,1,1,1',
  DELIVERY_LEASE_SECONDS: '5',
};

/** A lease that nothing outlasts here, however busy the machine is: for faults that are not about leases. */
export const WITH_TIME: Settings = { DELIVERY_LEASE_SECONDS: '60' };

/**
 * Two organisations that publish through an API, each with webhooks that lead to one sink: one for all its events and one for a part
 * of them. Who sends is up to the test: workers are processes of their own.
 */
export class DeliveryStage {
  readonly random = Random.fresh();
  readonly ledger = new DeliveryLedger();
  readonly workers: ProductProcess[] = [];
  /** The longest that a call to publish took: what Postgres and the machine stood still, nothing is quicker than that. */
  longestCallMs = 0;
  private readonly begunMs = Date.now();

  private constructor(
    readonly api: TestApi,
    readonly sink: WebhookSink,
    readonly scenes: readonly DeliveryScene[],
    private readonly settings: Settings,
  ) {}

  static async open(settings: Settings = {}): Promise<DeliveryStage> {
    const sink = await WebhookSink.start();
    const all = { ...QUICK, ...settings };
    const api = await TestApi.start({ ...all, IPM_ROLE: 'api' });
    await watchDeliveries(api.database);
    const scenes = [await DeliveryScene.of(api, sink), await DeliveryScene.of(api, sink)];
    const stage = new DeliveryStage(api, sink, scenes, all);
    for (const scene of scenes) {
      await stage.webhook(scene, SERVICES);
      await stage.webhook(scene, ['pim']);
    }
    return stage;
  }

  get database(): TestApi['database'] {
    return this.api.database;
  }

  async webhook(scene: DeliveryScene, services: readonly string[], more: object = {}): Promise<Subscriber> {
    const { webhook_id, signing_secret, path } = await scene.webhook({
      event_filters: services.map((service) => ({ service })),
      ...more,
    });
    const subscriber = { orgcode: scene.orgcode, webhookId: webhook_id, path, secret: signing_secret, services };
    this.ledger.subscribes(subscriber);
    return subscriber;
  }

  /** Another worker, as an operator starts it. */
  async worker(more: Settings = {}): Promise<ProductProcess> {
    const worker = await ProductProcess.start(...this.startOf(more));
    this.workers.push(worker);
    return worker;
  }

  /** One that may not live until it is ready. */
  async doomedWorker(more: Settings): Promise<ProductProcess> {
    const worker = await ProductProcess.begun(...this.startOf(more));
    this.workers.push(worker);
    return worker;
  }

  private startOf(more: Settings): [databaseUrl: string, environment: Settings] {
    return [more.DATABASE_URL ?? this.database.url, { ...this.settings, ...more, IPM_ROLE: 'worker' }];
  }

  /** One of these that has deliveries to itself at the moment. */
  async busyWorker(workers: readonly ProductProcess[]): Promise<ProductProcess> {
    for (const deadline = Date.now() + BUSY_WITHIN_MS; Date.now() < deadline; await sleep(5)) {
      const leases = await this.database.asOwner<{ worker: string }>('select distinct worker from delivery_lease');
      const pids = leases.map(({ worker }) => Number(worker.split(':').at(-1)));
      const busy = workers.filter(({ child }) => pids.includes(child.pid!));
      if (busy.length > 0) return this.random.pick(busy);
    }
    throw new Error('no worker has anything to do');
  }

  /** As if their time were over: who tests what comes then need not wait for it. */
  async endLeasesOf({ child }: ProductProcess): Promise<void> {
    await this.database.asOwner(`update delivery_lease set lease_until = clock_timestamp() where worker like $1`, [
      `%:${child.pid}`,
    ]);
  }

  /** How many deliveries it has to itself. */
  async heldBy({ child }: ProductProcess): Promise<number> {
    const [row] = await this.database.asOwner<{ held: number }>(
      'select coalesce(sum(cardinality(positions)), 0)::int as held from delivery_lease where worker like $1',
      [`%:${child.pid}`],
    );
    return row!.held;
  }

  async deadOf({ orgcode }: DeliveryScene): Promise<number> {
    const [row] = await this.database.asOwner<{ dead: number }>(
      'select count(*)::int as dead from delivery_dead where orgcode = $1',
      [orgcode],
    );
    return row!.dead;
  }

  /** Of each organisation so many, in calls of fifty; `mark` gives more fields of an event. */
  async publish(count: number, more: (n: number) => object = () => ({})): Promise<void> {
    const publishing = this.scenes.map((scene) => this.publishFor(scene, count, more));
    await Promise.all(publishing);
  }

  /** Publishes while the fault happens. */
  async underLoad(fault: () => Promise<void>, pauseMs = 20): Promise<void> {
    let isOver = false;
    const clients = this.scenes.map(async (scene) => {
      while (!isOver) {
        await this.publishFor(scene, this.random.between(1, EVENTS_A_CALL));
        await sleep(pauseMs);
      }
    });
    try {
      await fault();
    } finally {
      isOver = true;
      await Promise.all(clients);
    }
  }

  async publishFor(scene: DeliveryScene, count: number, more: (n: number) => object = () => ({})): Promise<void> {
    for (let done = 0; done < count; done += EVENTS_A_CALL) {
      const events = Array.from({ length: Math.min(EVENTS_A_CALL, count - done) }, (_, i) => ({
        ...somethingHappens(this.random),
        service: this.random.pick(SERVICES),
        ...more(done + i),
      }));
      const calledMs = performance.now();
      const { status, body } = await scene.call('event/publish', { events });
      this.longestCallMs = Math.max(this.longestCallMs, Math.round(performance.now() - calledMs));
      if (status !== 200) throw new Error(`event/publish: ${status} ${JSON.stringify(body.error)}`);
      for (const event of events) this.ledger.acknowledges(scene.orgcode, event);
    }
  }

  /** Until nothing is to come any more, or nothing has come for so long: who is stuck is found by the ledger. */
  async quiet(patienceMs: number): Promise<void> {
    let [arrivals, lastMs] = [0, Date.now()];
    while (!(await isQuiet(this.database)) && Date.now() - lastMs < patienceMs) {
      if (this.sink.arrivals.length > arrivals) [arrivals, lastMs] = [this.sink.arrivals.length, Date.now()];
      await sleep(100);
    }
  }

  forgetDelays(): void {
    this.ledger.forgetDelays();
  }

  async outcome(extraAtMost: number, figures: Record<string, number> = {}): Promise<DeliveryOutcome> {
    const state = await deliveryState(this.database);
    const { arrivals } = this.sink;
    const seconds = Math.round((Date.now() - this.begunMs) / 1_000);
    return {
      seed: this.random.seed,
      complaints: this.ledger.complaints(arrivals, state, extraAtMost),
      figures: { ...this.ledger.figures(arrivals, state), ...figures, seconds, longestCallMs: this.longestCallMs },
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => resumedAndStopped(worker)));
    await this.api.close();
    await this.sink.stop();
  }
}

/** A stopped process takes no other signal. */
async function resumedAndStopped(worker: ProductProcess): Promise<void> {
  if (worker.child.exitCode === null && worker.child.signalCode === null) worker.child.kill('SIGCONT');
  await worker.stop('SIGKILL');
}

import { identityOf } from '../../src/local/process-identity.js';
import { s3Environment } from '../support/bulk-scene.js';
import type { TestDatabase } from '../support/database.js';
import { DeliveryScene } from '../support/delivery-scene.js';
import { startS3Server, type S3Server } from '../support/s3-server/start.js';
import type { TcpProxy } from '../support/tcp-proxy.js';
import { WebhookSink } from '../support/webhook-sink.js';
import type { BulkPlace } from '../faults/support/bulk-oracle.js';
import { openUploadsAt } from '../faults/support/bulk-stage.js';
import { watchDeliveries } from '../faults/support/delivery-state.js';
import type { Settings } from '../faults/support/delivery-stage.js';
import { Fleet } from '../faults/support/fleet.js';
import { organisationsOn } from '../faults/support/organisations.js';
import { OwnPostgres, ServerFolder } from '../faults/support/own-postgres.js';
import { OwnRedis } from '../faults/support/own-redis.js';
import { Random } from '../faults/support/random.js';
import { Lines } from './lines.js';
import { PersistentWay } from './persistent-way.js';
import { SoakLedger } from './soak-ledger.js';

export const SERVICES = ['pos', 'pim', 'wms'] as const;
export const LEASE_MS = 15_000;
export const WORKERS = 3;

const ORGANISATIONS = 3;
const APIS = 2;

/** Retries last longer than any endpoint fails here. */
const QUICK: Settings = {
  WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8',
  WEBHOOK_RETRY_SCHEDULE: '0,0.2,0.5,1,2,3,3,4,4,5,5,5,5,5',
  DELIVERY_LEASE_SECONDS: String(LEASE_MS / 1_000),
  BULK_LEASE_SECONDS: '5',
  LOG_LEVEL: 'warn',
};

interface Servers {
  postgres: OwnPostgres;
  redis: OwnRedis;
  store: S3Server;
  sink: WebhookSink;
  lines: Lines;
}

/** All that a soak runs on. Its servers are its own and end with it, however it ends. */
export class SoakStage implements BulkPlace {
  readonly random = Random.fresh();
  readonly ledger = new SoakLedger();
  readonly scenes: DeliveryScene[] = [];
  readonly way: PersistentWay;

  private constructor(
    private readonly place: ServerFolder,
    private readonly servers: Servers,
    readonly settings: Settings,
    readonly apis: Fleet,
    readonly workers: Fleet,
  ) {
    this.way = new PersistentWay(apis.doors, servers.postgres.database, this.random.branch());
  }

  static async open(): Promise<SoakStage> {
    const place = new ServerFolder();
    try {
      return await SoakStage.on(place);
    } catch (error) {
      await place.clear();
      throw error;
    }
  }

  private static async on(place: ServerFolder): Promise<SoakStage> {
    const [postgres, redis, store] = [
      await OwnPostgres.start(place),
      await OwnRedis.start(place),
      await startS3Server(),
    ];
    const sink = await WebhookSink.start();
    const { database } = postgres;
    await watchDeliveries(database);
    const owners = await organisationsOn(database, ORGANISATIONS);
    const lines = await Lines.open({ databaseUrl: database.url, redisUrl: redis.url }, APIS, WORKERS);
    const settings = { ...QUICK, ...s3Environment(store), REDIS_URL: lines.redis.urlOf(redis.url) };
    const crew = (role: string, own: readonly TcpProxy[]): Promise<Fleet> => {
      const urls = own.map((line) => line.urlOf(database.url));
      return Fleet.start(urls, { ...settings, IPM_ROLE: role }, (pid) => {
        const identity = identityOf(pid);
        if (identity) place.records.add({ ...identity, kind: 'app' });
      });
    };
    const [apis, workers] = [await crew('api', lines.apis), await crew('worker', lines.workers)];
    const stage = new SoakStage(place, { postgres, redis, store, sink, lines }, settings, apis, workers);
    for (const owner of owners) await stage.subscribed(DeliveryScene.on(stage.way, sink, owner));
    return stage;
  }

  get postgres(): OwnPostgres {
    return this.servers.postgres;
  }

  get redis(): OwnRedis {
    return this.servers.redis;
  }

  get store(): S3Server {
    return this.servers.store;
  }

  get lines(): Lines {
    return this.servers.lines;
  }

  get sink(): WebhookSink {
    return this.servers.sink;
  }

  get database(): TestDatabase {
    return this.postgres.database;
  }

  openUploads(): Promise<string[]> {
    return openUploadsAt(this.servers.store);
  }

  async close(): Promise<void> {
    await Promise.all([this.apis.stop(), this.workers.stop(), this.sink.stop()]);
    await Promise.all([this.servers.lines.close(), this.servers.store.stop()]);
    await this.place.clear();
  }

  /** An organisation with two webhooks: one for all its events and one for a part of them. */
  private async subscribed(scene: DeliveryScene): Promise<void> {
    this.scenes.push(scene);
    for (const services of [SERVICES, ['pim']]) {
      const made = await scene.webhook({ event_filters: services.map((service) => ({ service })) });
      const { webhook_id: webhookId, signing_secret: secret, path } = made;
      this.ledger.deliveries.subscribes({ orgcode: scene.orgcode, webhookId, path, secret, services });
    }
  }
}

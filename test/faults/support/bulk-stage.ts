import { ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { TestApi } from '../../support/api.js';
import { BulkScene, s3Environment } from '../../support/bulk-scene.js';
import type { TestDatabase } from '../../support/database.js';
import { ProductProcess } from '../../support/product-process.js';
import { startS3Server, type S3Server } from '../../support/s3-server/start.js';
import { until } from '../../support/until.js';
import type { Settings } from './delivery-stage.js';
import { Random } from './random.js';

/** As short as a lease may be. */
export const LEASE_MS = 2_000;

const QUICK: Settings = { BULK_LEASE_SECONDS: String(LEASE_MS / 1_000), LOG_LEVEL: 'info' };

/** Every step of an import takes so long, inside its transaction: who is killed is killed in the middle of one as often as between two. */
const SLOW_STEPS = `
  create function slow_step() returns trigger language plpgsql as $$ begin perform pg_sleep(tg_argv[0]::float8); return new; end $$;
  create trigger slow_step after update on bulk_job for each row when (new.line_count > old.line_count) execute function slow_step(`;

/** How far a job is. */
export interface JobPlace {
  status: string;
  fence: string;
  steps: string;
}

/** An API in this process, a store that can be disturbed, and workers that are processes of their own: as many as the test starts. */
export class BulkStage {
  readonly random = Random.fresh();
  readonly workers: ProductProcess[] = [];
  private readonly store: S3Client;

  private constructor(
    readonly api: TestApi,
    readonly server: S3Server,
    private readonly settings: Settings,
  ) {
    this.store = clientOf(server);
  }

  /** On a database of its own, or on one that the test has a hand on. */
  static async open(settings: Settings = {}, database?: TestDatabase): Promise<BulkStage> {
    const server = await startS3Server();
    const all = { ...QUICK, ...s3Environment(server), ...settings };
    const ofApi = { ...all, IPM_ROLE: 'api', LOG_LEVEL: 'silent' };
    const api = database ? await TestApi.startOn(database, ofApi) : await TestApi.start(ofApi);
    return new BulkStage(api, server, all);
  }

  get database(): TestApi['database'] {
    return this.api.database;
  }

  scene(): Promise<BulkScene> {
    return BulkScene.of(this.api);
  }

  /** Another worker, as an operator starts it. */
  async worker(more: Settings = {}): Promise<ProductProcess> {
    const worker = await ProductProcess.start(this.database.url, { ...this.settings, ...more, IPM_ROLE: 'worker' });
    this.workers.push(worker);
    return worker;
  }

  async slowSteps(seconds: number): Promise<void> {
    await this.database.asOwner(`${SLOW_STEPS}${seconds})`);
  }

  async place({ orgcode }: BulkScene, jobId: string): Promise<JobPlace> {
    const [row] = await this.database.asOwner<JobPlace>(
      `select status, fence::text, (line_count + coalesce(position, 0))::text as steps from bulk_job where orgcode = $1 and job_id = $2`,
      [orgcode, jobId],
    );
    return row!;
  }

  /** Until the job is a worker's and has come further than it was, or has ended. */
  async untilFurther(scene: BulkScene, jobId: string, than: JobPlace, withinMs = 30_000): Promise<JobPlace> {
    let now = than;
    await until(async () => {
      now = await this.place(scene, jobId);
      return (
        now.status === 'completed' || now.status === 'failed' || (now.fence !== than.fence && now.steps !== than.steps)
      );
    }, withinMs);
    return now;
  }

  /** When the objects of this kind were written: `input`, `report`, `events`. */
  async writtenAt(kind: string): Promise<string> {
    const { Contents = [] } = await this.store.send(new ListObjectsV2Command({ Bucket: this.server.bucket }));
    const found = Contents.filter(({ Key = '' }) => Key.slice(Key.lastIndexOf('/') + 1).startsWith(kind));
    return found.map(({ Key, LastModified }) => `${Key} ${LastModified?.toISOString()}`).join(', ');
  }

  openUploads(): Promise<string[]> {
    return openUploadsAt(this.server);
  }

  async close(): Promise<void> {
    for (const { child } of this.workers)
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGCONT'); // a stopped process takes no other signal
    await Promise.all(this.workers.map((worker) => worker.stop('SIGKILL')));
    this.store.destroy();
    await this.api.close();
    await this.server.stop();
  }
}

/** Uploads in parts that somebody has begun and nobody ended. */
export async function openUploadsAt(server: S3Server): Promise<string[]> {
  const client = clientOf(server);
  try {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: server.bucket }));
    return Uploads.map(({ Key = '' }) => Key);
  } finally {
    client.destroy();
  }
}

function clientOf({ endpoint, region, accessKeyId, secretAccessKey }: S3Server): S3Client {
  return new S3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true });
}

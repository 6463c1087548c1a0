import { writeGrounds, type ApiAnswer, type TestApi } from './api.js';
import type { S3Server } from './s3-server/start.js';
import { until } from './until.js';

/** An application in this process, or a way into others. */
type Way = Pick<TestApi, 'call' | 'database'>;

export interface SeenJob {
  job_id: string;
  status: string;
  revision: string;
  input?: Record<string, unknown>;
  output?: Record<string, unknown>;
  report?: Record<string, unknown>;
  failure?: { error_tag: string; message: string };
  operation_run_id?: number;
}

/** What an S3 server of ours needs in the product's environment. */
export function s3Environment(server: S3Server): Record<string, string> {
  return {
    S3_ENDPOINT: server.endpoint,
    S3_REGION: server.region,
    S3_BUCKET: server.bucket,
    S3_ACCESS_KEY_ID: server.accessKeyId,
    S3_SECRET_ACCESS_KEY: server.secretAccessKey,
  };
}

export function linesOf(items: readonly (object | string)[]): string {
  return items.map((item) => `${typeof item === 'string' ? item : JSON.stringify(item)}\n`).join('');
}

/** One organisation that imports and exports. */
export class BulkScene {
  private constructor(
    readonly api: Way,
    readonly orgcode: string,
    readonly key: string,
  ) {}

  static async of(api: TestApi): Promise<BulkScene> {
    return BulkScene.on(api, await api.anOwner());
  }

  static on(api: Way, { orgcode, key }: { orgcode: string; key: string }): BulkScene {
    return new BulkScene(api, orgcode, key);
  }

  async call(operation: string, body: object = {}): Promise<ApiAnswer> {
    const request = { ...writeGrounds(this.orgcode), ...body };
    return this.api.call(`/${operation}`, request, { orgcode: this.orgcode, key: this.key });
  }

  /** What a call that has to succeed answers. */
  async done<Data>(operation: string, body: object = {}): Promise<Data> {
    const answer = await this.call(operation, body);
    if (answer.status !== 200) throw new Error(`${operation}: ${answer.status} ${JSON.stringify(answer.body.error)}`);
    return answer.body.data as Data;
  }

  async upload(url: string, body: string | Buffer, contentType = 'application/x-ndjson'): Promise<number> {
    const bytes = new Uint8Array(Buffer.from(body));
    const answer = await fetch(url, { method: 'PUT', body: bytes, headers: { 'content-type': contentType } });
    await answer.arrayBuffer();
    return answer.status;
  }

  /** Created, uploaded and committed. */
  async imported(body: string | Buffer, contentType = 'application/x-ndjson'): Promise<SeenJob> {
    const { job, upload_url } = await this.done<{ job: SeenJob; upload_url: string }>('bulk/import/create', {
      content_type: contentType,
    });
    const uploaded = await this.upload(upload_url, body, contentType);
    if (uploaded !== 200) throw new Error(`the upload got ${uploaded}`);
    return this.committed(job);
  }

  async committed({ job_id, revision }: SeenJob): Promise<SeenJob> {
    return (await this.done<{ job: SeenJob }>('bulk/import/commit', { job_id, expected_revision: revision })).job;
  }

  async job(jobId: string): Promise<SeenJob & { download_url?: string; report_url?: string }> {
    const { job, ...urls } = await this.done<{ job: SeenJob }>('bulk/job/get', { job_id: jobId });
    return { ...job, ...urls };
  }

  async ended(jobId: string, withinMs = 20_000): Promise<SeenJob & { download_url?: string; report_url?: string }> {
    let job = await this.job(jobId);
    await until(async () => {
      job = await this.job(jobId);
      return job.status === 'completed' || job.status === 'failed';
    }, withinMs);
    return job;
  }

  async file(url: string | undefined): Promise<Buffer> {
    if (url === undefined) throw new Error('the job has no such file');
    const answer = await fetch(url);
    if (answer.status !== 200) throw new Error(`the download got ${answer.status}`);
    return Buffer.from(await answer.arrayBuffer());
  }

  async lines<Line>(url: string | undefined): Promise<Line[]> {
    const text = (await this.file(url)).toString('utf8');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line);
  }

  /** Ids of one service in the log, in its order. */
  async logged(service = 'pos'): Promise<string[]> {
    const rows = await this.api.database.asOwner<{ event_id: string }>(
      'select event_id from event where orgcode = $1 and service = $2 order by position',
      [this.orgcode, service],
    );
    return rows.map(({ event_id }) => event_id);
  }

  rows<Row extends object>(select: string): Promise<Row[]> {
    return this.api.database.asOwner<Row>(`${select} where orgcode = $1`, [this.orgcode]);
  }
}

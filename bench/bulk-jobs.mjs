import { eventsOfSize, EVENT_BYTES, eventTemplate, writeId, writeTime } from './events.mjs';
import { call, ORGCODE, writeGrounds } from './ipm-server.mjs';

const ENDED_JOBS = 5_000;
const LINES = 5;
const LINES_AGE_MS = 30 * 24 * 3_600_000;
const AT_ONCE = 8;
export const EXPORTED_RECORDS = 10;

/** The organisation's history: jobs that have ended, every tenth of them badly. */
export async function insertEndedJobs(client) {
  await client.query(
    `insert into bulk_job (orgcode, job_id, job_type, status, content_type, prefix, request_context, reason, source_refs,
       input_key, input_bytes, line_count, processed_count, max_records, start_position, end_position, position, record_count,
       output_key, output_bytes, failure_tag, failure_message, queued_at, started_at, ended_at, created_at, updated_at, revision)
     select $1, 'job_bench_' || n, kind, case when failed then 'failed' else 'completed' end, 'application/x-ndjson', 'bulk/bench-' || n,
       $2::jsonb, 'measuring', '[]'::jsonb, case when kind = 'import' then 'bulk/bench-' || n || '/input' end, case when kind = 'import' then 1000000 end,
       case when kind = 'import' then 1000 else 0 end, case when kind = 'import' then 1000 else 0 end,
       case when kind = 'export' then 1000 end, case when kind = 'export' then 0 end, case when kind = 'export' then 100000 end,
       case when kind = 'export' then 2000 end, case when kind = 'export' then 1000 else 0 end,
       case when kind = 'export' and not failed then 'bulk/bench-' || n || '/events.ndjson' end,
       case when kind = 'export' and not failed then 1000000 end,
       case when failed then 'broken' end, case when failed then 'It failed for the bench.' end, at, at, at, at, at, 3
     from (select n, case when n % 2 = 0 then 'import' else 'export' end as kind, n % 10 = 0 as failed,
       clock_timestamp() - n * interval '5 minutes' as at from generate_series(1, $3::int) n) as jobs`,
    [ORGCODE, JSON.stringify(writeGrounds().request_context), ENDED_JOBS],
  );
  await client.query('vacuum (analyze) bulk_job');
  return ENDED_JOBS;
}

export function endedJobId(i) {
  return `job_bench_${1 + (i % ENDED_JOBS)}`;
}

/** Jobs that wait for the call that takes them on, each for one: uploads for commits, ended ones for continuations. */
export class JobStock {
  #ground;
  #ended = { import: [], export: [] };
  #made = 0;
  #salt = Date.now() % 2 ** 28;
  #events = eventTemplate(
    eventsOfSize(EVENT_BYTES)
      .slice(0, LINES)
      .map((event) => `${JSON.stringify(event)}\n`)
      .join(''),
  );

  constructor(ground) {
    this.#ground = ground;
  }

  uploaded(count) {
    return this.#many(count, (number) => this.#upload(number));
  }

  exportOrder(i) {
    const headers = this.#ground.neighbour(i);
    const job = { headers, job_id: this.#newId() };
    const service = ['scm', 'ics', 'pcm'][i % 3];
    return { job, body: { ...grounds(headers), job_id: job.job_id, service, max_records: EXPORTED_RECORDS } };
  }

  /** It will have ended when the server is idle. */
  willEnd(type, job) {
    this.#ended[type].push(job);
  }

  /** So many that ended; those that are missing are made. */
  async ended(type, count) {
    const known = this.#ended[type];
    if (known.length < count) {
      const missing = count - known.length;
      if (type === 'import') await this.#commitAll(await this.uploaded(missing));
      else await this.#many(missing, (number) => this.#export(number));
      await this.#ground.untilIdle();
    }
    return known.splice(0, count);
  }

  #commitAll(uploads) {
    return fewAtOnce(uploads, async ({ headers, body, job }) => {
      await call({ ...this.#ground.ipm, headers }, 'bulk/import/commit', body);
      this.willEnd('import', job);
    });
  }

  async #upload(number) {
    const { ipm } = this.#ground;
    const headers = this.#ground.neighbour(number);
    const job = { headers, job_id: this.#newId() };
    const about = { ...grounds(headers), job_id: job.job_id };
    const { data } = JSON.parse(await call({ ...ipm, headers }, 'bulk/import/create', about));
    const answer = await fetch(data.upload_url, {
      method: 'PUT',
      body: this.#linesOf(number),
      headers: { 'content-type': 'application/x-ndjson' },
    });
    if (!answer.ok) throw new Error(`the upload answered ${answer.status}: ${await answer.text()}`);
    return { headers, job, body: { ...about, expected_revision: data.job.revision } };
  }

  async #export(number) {
    const { job, body } = this.exportOrder(number);
    await call({ ...this.#ground.ipm, headers: job.headers }, 'bulk/export/create', body);
    this.willEnd('export', job);
  }

  #linesOf(number) {
    const { bytes, idsAt, timesAt } = this.#events;
    idsAt.forEach((at, i) => writeId(bytes, at, number * LINES + i, this.#salt));
    for (const at of timesAt) writeTime(bytes, at, Date.now() - LINES_AGE_MS);
    return Buffer.from(bytes);
  }

  #many(count, make) {
    const numbers = Array.from({ length: count }, (_, i) => this.#made + i);
    return fewAtOnce(numbers, make);
  }

  #newId() {
    this.#made += 1;
    return `job_own_${this.#made}`;
  }
}

function grounds(headers) {
  return writeGrounds(headers['x-orgcode']);
}

/** A few at a time, results in order. */
async function fewAtOnce(items, work) {
  const results = [];
  let begun = 0;
  const worker = async () => {
    while (begun < items.length) {
      const at = begun;
      begun += 1;
      results[at] = await work(items[at]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

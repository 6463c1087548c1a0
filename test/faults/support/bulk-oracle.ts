import type { BulkScene } from '../../support/bulk-scene.js';
import type { BulkFile } from './bulk-file.js';
import type { BulkStage } from './bulk-stage.js';
import { inShort } from './ledger.js';
import { logState, type LogState } from './log-state.js';
import { hashOfSaid } from './said-event.js';

/** Where jobs have left what they leave. */
export type BulkPlace = Pick<BulkStage, 'database' | 'openUploads'>;

interface OwnRecord {
  what: string;
}

/** An import against its file: each valid line once and unaltered, in order; the report names the bad lines and no other; it ended once. `log`: as it stands, where it is known. */
export async function importComplaints(
  stage: BulkPlace,
  scene: BulkScene,
  jobId: string,
  file: BulkFile,
  log?: LogState,
): Promise<string[]> {
  const job = await scene.job(jobId);
  if (job.status !== 'completed') return [`ended: the import is ${job.status} (${job.failure?.error_tag})`];
  const { events, halves } = log ?? (await logState(stage.database, [scene.orgcode]));
  const positions = new Map<string, bigint[]>();
  for (const { eventId, position } of events) positions.set(eventId, [...(positions.get(eventId) ?? []), position]);
  const hashes = new Map(events.map(({ eventId, hash }) => [eventId, hash]));
  const placed = file.events.map(({ event_id }) => ({ event_id, places: positions.get(event_id) ?? [] }));
  const report = job.report_url === undefined ? [] : await scene.lines<{ line: number }>(job.report_url);
  const expected = {
    line_count: file.lineCount,
    processed_count: file.events.length,
    error_count: file.badLines.length,
    skipped_lines: file.blankLines,
  };
  return [
    ...inShort('half', halves),
    ...inShort(
      'lost',
      placed.filter(({ places }) => places.length === 0).map(({ event_id }) => event_id),
    ),
    ...inShort(
      'twice',
      placed.filter(({ places }) => places.length > 1).map(({ event_id }) => event_id),
    ),
    ...inShort(
      'altered',
      file.events
        .filter((event) => hashes.has(event.event_id) && hashes.get(event.event_id) !== hashOfSaid(event))
        .map(({ event_id }) => event_id),
    ),
    ...inShort(
      'order',
      placed
        .filter(({ places }, i) => (places[0] ?? 0n) < (placed[i - 1]?.places[0] ?? 0n))
        .map(({ event_id }) => event_id),
    ),
    ...differing(
      'report',
      report.map(({ line }) => line),
      file.badLines,
    ),
    ...differing('counts', job.output, expected),
    ...(await endedOnce(stage, scene, jobId, 'import')),
    ...(await leftBehind(stage)),
  ];
}

/** An export against the feed, line by line. */
export async function exportComplaints(
  stage: BulkPlace,
  scene: BulkScene,
  jobId: string,
  feed: readonly object[],
): Promise<string[]> {
  const job = await scene.job(jobId);
  if (job.status !== 'completed') return [`ended: the export is ${job.status} (${job.failure?.error_tag})`];
  const file = await scene.file(job.download_url);
  const lines = file.toString('utf8').split('\n').slice(0, -1);
  const firstWrong = lines.findIndex((line, i) => line !== JSON.stringify(feed[i]));
  return [
    ...(firstWrong < 0 ? [] : [`altered: line ${firstWrong + 1} is not that of the feed`]),
    ...differing('lines', lines.length, feed.length),
    ...differing('counts', job.output?.record_count, feed.length),
    ...differing('size', job.output?.size_bytes, file.length),
    ...(await endedOnce(stage, scene, jobId, 'export')),
    ...(await leftBehind(stage)),
  ];
}

/** Everything that the feed shows to an organisation up to now. */
export async function wholeFeed(scene: BulkScene): Promise<object[]> {
  const feed: object[] = [];
  for (let token: object | undefined, hasMore = true; hasMore;) {
    const page = await scene.done<{ items: object[]; next_token: object; has_more: boolean }>('cdc/list', {
      limit: 256,
      ...(token && { next_token: token }),
    });
    feed.push(...page.items);
    [token, hasMore] = [page.next_token, page.has_more];
  }
  return feed;
}

async function endedOnce(stage: BulkPlace, { orgcode }: BulkScene, jobId: string, type: string): Promise<string[]> {
  const told = await stage.database.asOwner<OwnRecord>(
    `select event_id as what from event where orgcode = $1 and service = 'ipm' and action = $2 and envelope::jsonb #>> '{payload,job_id}' = $3`,
    [orgcode, `${type}.completed`, jobId],
  );
  const runs = await stage.database.asOwner<OwnRecord>(
    `select status || ' ' || coalesce(outcome, '') as what from operation_run where subject = $1`,
    [`${orgcode}/${jobId}`],
  );
  const isRunRight = runs.length === 1 && /^completed (partially_)?succeeded$/.test(runs[0]!.what);
  return [
    ...(told.length === 1 ? [] : [`told: ${told.length} events say that it is completed`]),
    ...(isRunRight ? [] : [`runs: ${runs.map(({ what }) => what).join(', ')}`]),
  ];
}

async function leftBehind(stage: BulkPlace): Promise<string[]> {
  const uploads = await stage.openUploads();
  const left = await stage.database.asOwner<OwnRecord>(
    `select 'line ' || line || ' in bulk_error' as what from bulk_error union all select holder || ' holds the log' from event_hold`,
  );
  return inShort('left', [...uploads.map((key) => `parts of ${key}`), ...left.map(({ what }) => what)]);
}

function differing(kind: string, is: unknown, expected: unknown): string[] {
  const [found, wanted] = [JSON.stringify(is), JSON.stringify(expected)];
  return found === wanted ? [] : [`${kind}: ${found?.slice(0, 300)} instead of ${wanted.slice(0, 300)}`];
}

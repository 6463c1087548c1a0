import { OrganisationService } from '../access/organisation.service.js';
import { eventErrors } from '../cdc/cdc.errors.js';
import type { ItemError, PublishedItem } from '../cdc/cdc.dto.js';
import { CdcModule } from '../cdc/cdc.module.js';
import { PublishService } from '../cdc/publish.service.js';
import { batchesOf, openLines, TooLongLine, type EventLine } from './event-lines.js';
import { CommandFailure, failureOf } from './failure.js';
import { operator, withServices, type Services } from './operator.js';
import { facts, hideProgress, showProgress, type CommandResult } from './output.js';

const EVENTS_A_CALL = 500;
const REJECTIONS_SHOWN = 20;

interface RejectedLine extends ItemError {
  line: number;
  event_id?: string;
}

/** What became of the lines so far. */
class Tally {
  lines = 0;
  accepted = 0;
  duplicate = 0;
  rejected = 0;
  lastLine = 0;
  readonly rejections: RejectedLine[] = [];
  private readonly beganMs = performance.now();

  get seconds(): number {
    return (performance.now() - this.beganMs) / 1000;
  }

  get perSecond(): number {
    return Math.round(this.lines / Math.max(this.seconds, 0.001));
  }

  add(lines: readonly EventLine[], items: readonly PublishedItem[]): void {
    this.lines += lines.length;
    items.forEach((item, i) => {
      this[item.status] += 1;
      this.lastLine = lines[i]?.number ?? this.lastLine;
      if (item.error && this.rejections.length < REJECTIONS_SHOWN)
        this.rejections.push(rejectedLine(lines[i], item, item.error));
    });
  }
}

export async function publishFile({ org }: { org: string }, file = ''): Promise<CommandResult> {
  const chunks = openLines(file);
  const tally = await withServices(
    async (services) => {
      await services.get(OrganisationService).get(org);
      return publishLines(services, org, chunks);
    },
    [CdcModule],
  );
  const { lines, accepted, duplicate, rejected, seconds, perSecond, rejections } = tally;
  return {
    document: {
      orgcode: org,
      ...{ lines, accepted, duplicate, rejected },
      seconds: Number(seconds.toFixed(3)),
      lines_per_second: perSecond,
      rejections,
      rejections_not_shown: rejected - rejections.length,
    },
    text: textOf(tally),
    exitCode: rejected === 0 ? 0 : 1,
  };
}

async function publishLines(services: Services, org: string, chunks: AsyncIterable<Buffer>): Promise<Tally> {
  const tally = new Tally();
  const caller = operator(org, 'event/publish');
  try {
    for await (const lines of batchesOf(chunks, EVENTS_A_CALL)) {
      const events = lines.map(({ item }) => item);
      tally.add(lines, (await services.get(PublishService).publish(caller, { events })).items);
      showProgress(`${countsOf(tally)}, ${tally.perSecond} a second`);
    }
  } catch (error) {
    if (tally.lines === 0) throw error;
    const { exitCode, tag, message } = failureOf(error);
    const rest = `Lines up to ${tally.lastLine} are done (${countsOf(tally)}); run again, it tells them as duplicates.`;
    throw new CommandFailure(exitCode, tag, `${message}\n${rest}`, { cause: error });
  } finally {
    hideProgress();
  }
  return tally;
}

function rejectedLine(line: EventLine | undefined, { event_id }: PublishedItem, error: ItemError): RejectedLine {
  const isTooLong = line?.item instanceof TooLongLine;
  const { error_code, message, fields } = isTooLong
    ? { error_code: eventErrors.tooLarge.tag, message: eventErrors.tooLarge.message, fields: undefined }
    : error;
  return { line: line?.number ?? 0, ...(event_id && { event_id }), error_code, message, ...(fields && { fields }) };
}

function countsOf({ lines, accepted, duplicate, rejected }: Tally): string {
  return `${lines} lines: ${accepted} accepted, ${duplicate} duplicate, ${rejected} rejected`;
}

function textOf(tally: Tally): string {
  const { lines, accepted, duplicate, rejected, seconds, perSecond, rejections } = tally;
  const summary = facts([
    ['Lines', String(lines)],
    ['Accepted', String(accepted)],
    ['Duplicate', String(duplicate)],
    ['Rejected', String(rejected)],
    ['Seconds', `${seconds.toFixed(1)} (${perSecond} lines a second)`],
  ]);
  if (rejected === 0) return summary;
  const named = rejections.map(({ line, event_id, error_code, message, fields = [] }) => {
    const which = event_id === undefined ? `line ${line}` : `line ${line} (${event_id})`;
    const where = fields.map(({ path, tag }) => `${path} ${tag}`).join(', ');
    return `${which}: ${error_code}: ${where === '' ? message : where}`;
  });
  const more = rejected - rejections.length;
  return [summary, '', ...named, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}

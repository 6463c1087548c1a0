import { eventErrors } from '../cdc/cdc.errors.js';
import type { TextLine } from '../platform/ndjson/line-splitter.js';
import { itemInLine } from '../platform/http/body-parser.js';
import { judgeHistory, rejected, type Judgement, type Rejection } from '../cdc/event-intake.service.js';
import { lineExcerpt } from './line-excerpt.js';
import type { ReportedLine } from './reported-line.js';

const MAX_FIELDS = 10;

/** A line of an export is a line of an import: what the log itself has put there is ignored, but for whose it is. */
export function judgeLine({ bytes }: TextLine, orgcode: string, nowMs: number): Judgement {
  if (bytes === undefined) return rejected(eventErrors.tooLarge);
  const item = itemInLine(bytes);
  const named = (item as { orgcode?: unknown } | null)?.orgcode;
  if (named !== undefined && named !== orgcode)
    return rejected(eventErrors.otherOrganisation, [{ path: 'orgcode', tag: 'not_of_this_job' }]);
  return judgeHistory(item, orgcode, nowMs);
}

export function reportedLine({ line, rejection }: { line: TextLine; rejection: Rejection }): ReportedLine {
  const { error, fields } = rejection;
  const [first] = fields;
  return {
    line: line.number,
    byte_offset: line.byteOffset,
    error_tag: error.tag,
    message: error.message,
    ...(first && { field: first.path, fields: fields.slice(0, MAX_FIELDS) }),
    excerpt: lineExcerpt(line.bytes),
  };
}

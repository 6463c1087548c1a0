import { readFileSync } from 'node:fs';
import { RequestMethod, type Type } from '@nestjs/common';
import {
  DeadLetter,
  DeadLetterDetail,
  DeadLetterHistory,
  FailedAttempt,
  OperatorCounts,
  RecentFailures,
  Replayed,
  ReplayLinkage,
  ReplayOrigins,
  ReplayStatus,
  StatusSummary,
  TimelineEvent,
  WRITEBACK_STATUSES,
  WritebackJob,
} from '../../src/operator/dead-letter.dto.js';
import { OperatorController } from '../../src/operator/operator.controller.js';
import { operatorErrors } from '../../src/operator/operator.errors.js';
import { writebackRoom } from '../../src/operator/writeback-room.js';
import { AppError } from '../../src/platform/errors/app-error.js';
import type { ExpectedFailure } from '../../src/platform/errors/error-catalog.js';
import { platformErrors } from '../../src/platform/errors/platform.errors.js';
import { declaredFields } from '../../src/platform/http/shape.js';

const DOCUMENT = readFileSync('contract/writeback-operator.md', 'utf8');

/** What the document says below a heading. */
function sectionOf(heading: string): string {
  const [, rest = ''] = DOCUMENT.split(`## \`${heading}\`\n`);
  return rest.split('\n## ')[0] ?? '';
}

/** The names in backticks of the line that has `text`, after it. */
function namesAfter(text: string): string[] {
  const line = DOCUMENT.slice(DOCUMENT.indexOf(text) + text.length);
  const [named = ''] = /[^\n]*`[^\n]*/.exec(line) ?? [];
  return [...named.matchAll(/`([a-zA-Z]+)`/g)].map(([, name]) => name!).sort();
}

const fieldsOf = (shape: Type): string[] => [...declaredFields(shape).keys()].sort();

describe('document 002', () => {
  const documented = [...DOCUMENT.matchAll(/^## `(GET|POST) (\/\S*)`$/gm)].map(
    ([, method, path]) => `${method} ${path}`,
  );
  const served = Object.getOwnPropertyNames(OperatorController.prototype)
    .filter((name) => name !== 'constructor')
    .map((name) => {
      const handler = (OperatorController.prototype as unknown as Record<string, object>)[name]!;
      const method = RequestMethod[Reflect.getMetadata('method', handler) as RequestMethod];
      return `${method} /${Reflect.getMetadata('path', handler) as string}`;
    });

  it('names the routes that are served, under its base path', () => {
    expect(documented).toHaveLength(7);
    expect(served.sort()).toEqual([...documented].sort());
    expect(DOCUMENT).toContain(`Base path: \`${writebackRoom.path}\``);
  });

  it.each<[string, Type]>([
    ['array of dead-letter summary objects:', DeadLetter],
    ['Operator-safe writeback job view fields:', WritebackJob],
    ['`data.attempts[]` with fields', FailedAttempt],
    ['`data.timeline[]`:', TimelineEvent],
    ['`data.replayLinkage` with', ReplayOrigins],
    ['`data.replayLinkage`:', ReplayLinkage],
  ])('%s has the fields that it lists', (text, shape) => {
    expect(DOCUMENT).toContain(text);
    expect(fieldsOf(shape)).toEqual(namesAfter(text));
  });

  it.each<[string, Type[]]>([
    ['GET /status/summary', [StatusSummary]],
    ['GET /dead-letters/:id', [DeadLetterDetail]],
    ['GET /dead-letters/:id/history', [DeadLetterHistory]],
    ['GET /dead-letters/:id/replay-status', [ReplayStatus]],
    ['POST /dead-letters/:id/replay', [Replayed]],
  ])('%s answers the parts that it lists', (heading, [shape]) => {
    const parts = [...sectionOf(heading).matchAll(/^- `data\.(\w+)/gm)].map(([, name]) => name!);
    expect(fieldsOf(shape!)).toEqual(parts.sort());
  });

  it('spells out the parts of the summary, and the statuses', () => {
    const section = sectionOf('GET /status/summary');
    const partsOf = (name: string): string[] =>
      (new RegExp(`\`data\\.${name}\`: \`\\{ ([^}]*) \\}\``).exec(section)?.[1] ?? '').split(', ').sort();
    expect(fieldsOf(OperatorCounts)).toEqual(partsOf('deadLetterOperatorCounts'));
    expect(fieldsOf(RecentFailures)).toEqual(partsOf('recentFailures'));
    expect(DOCUMENT).toContain(`\`${WRITEBACK_STATUSES.join(' | ')}\``);
  });

  it('names refusals that the room has, each with its status', () => {
    const named = [...DOCUMENT.matchAll(/^- `(\d{3}) ([A-Z_]+)`$/gm)].map(([, status, code]) => `${status} ${code}`);
    const failures: ExpectedFailure[] = [
      ...Object.values(operatorErrors),
      platformErrors.credentialInvalid,
      platformErrors.requestInvalid,
    ];
    const known = failures.map((failure) => {
      const request = { requestIdentity: { requestId: 'r', trace: { traceId: 'a'.repeat(32) } } };
      const body = writebackRoom.failureBody(new AppError(failure), request as never) as { error: { code: string } };
      return `${failure.status} ${body.error.code}`;
    });
    expect(named.length).toBeGreaterThan(20);
    expect(known).toEqual(expect.arrayContaining([...new Set(named)]));
    const ours = known.filter((code) => !named.includes(code));
    expect(ours).toEqual(['404 BULK_ACT_NOT_FOUND']);
  });
});

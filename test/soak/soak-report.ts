import { writeFileSync } from 'node:fs';
import type { Struck } from './nemesis.js';
import type { Verdict } from './soak-oracle.js';

export interface SoakReport extends Verdict {
  seed: number;
  minutes: number;
  sabotage: string | undefined;
  begunAt: string;
  faults: readonly Struck[];
  repeat: string;
}

const TOLD: Record<string, string> = {
  acknowledged: 'events acknowledged',
  answersLost: 'of them acknowledged only when they were repeated',
  inLog: 'events in the log, with imports and what IPM says itself',
  read: 'events read by followers',
  deliveries: 'deliveries (acknowledged or imported events times webhooks)',
  arrivals: 'arrivals, attempts that failed with them',
  extra: 'arrivals more than there should be',
  mostExtra: 'of one delivery at most',
  dead: 'dead, each with a reason',
  lostWith: 'deliveries that a worker was lost with',
  givenUp: 'calls given up without an answer in time; each may arrive once more',
  medianMs: 'median from acknowledgement to first arrival, ms',
  p95Ms: '95th percentile, ms',
  slowestMs: 'slowest, ms',
  imports: 'imports',
  importedLines: 'their lines',
  exports: 'exports',
  longestStallMs: 'the longest that the process of endpoints, clients and lines stood still, ms',
  restMs: 'from the last fault until nothing was to come, ms',
};

export function reportText(report: SoakReport): string {
  const { seed, minutes, sabotage, begunAt, faults, figures, notes, complaints, repeat } = report;
  const bound = faults.reduce((sum, { extraAtMost }) => sum + extraAtMost, 0);
  return [
    `Soak of ${minutes} min, begun ${begunAt}, seed ${seed}${sabotage ? `, sabotaged: ${sabotage}` : ''}.`,
    '',
    ...table(
      ['fault', 'times', 'met', 'may arrive once more'],
      [
        ...faults.map(({ fault, times, met, meets, extraAtMost }) => [
          fault,
          String(times),
          `${met} ${meets}`,
          String(extraAtMost),
        ]),
        ['all', String(faults.reduce((sum, { times }) => sum + times, 0)), '', String(bound)],
      ],
    ),
    '',
    ...table(
      ['figure', ''],
      Object.entries(figures).map(([name, value]) => [TOLD[name] ?? name, value.toLocaleString('en')]),
    ),
    '',
    ...notes.map((note) => `- ${note}`),
    ...(notes.length > 0 ? [''] : []),
    complaints.length === 0 ? 'Complaints: none.' : 'Complaints:',
    ...complaints.map((complaint) => `- ${complaint}`),
    '',
    `Again: \`${repeat}\``,
    '',
  ].join('\n');
}

export function writeReport(report: SoakReport, file: string): void {
  writeFileSync(file, file.endsWith('.md') ? reportText(report) : `${JSON.stringify(report, null, 2)}\n`);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((name, i) => Math.max(3, name.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`;
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(head), line(rule), ...rows.map(line)];
}

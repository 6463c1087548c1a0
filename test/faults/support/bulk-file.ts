import type { Random } from './random.js';
import { somethingHappens, type SaidEvent } from './said-event.js';

/** A file to import, and what is in it. */
export interface BulkFile {
  text: string;
  lineCount: number;
  events: readonly SaidEvent[];
  /** Numbers of the lines that nobody can take, from 1. */
  badLines: readonly number[];
  blankLines: number;
}

export interface FileForm {
  lines: number;
  /** How many of them are bad. */
  bad: number;
  /** Makes the events larger by about so many bytes. */
  filling?: number;
}

const BAD = [
  '{"event_id": "half", "service": "po',
  '[]',
  'null',
  'not even JSON',
  '{"service":"pos"}',
  '{"event_id":"e","service":"pos","action":"x.y","occurred_at":"yesterday","payload":{}}',
  '{"__proto__":{}}',
  '\ud800',
];

/** Events with bad and blank lines at places drawn by chance. */
export function bulkFile(random: Random, { lines, bad, filling = 0 }: FileForm): BulkFile {
  const file = { events: [] as SaidEvent[], badLines: [] as number[], blankLines: 0 };
  const text = Array.from({ length: lines }, (_, i) => {
    if (random.happens(bad / lines)) {
      file.badLines.push(i + 1);
      return random.pick(BAD);
    }
    if (random.happens(0.005)) {
      file.blankLines += 1;
      return random.pick(['', '  ', '\r']);
    }
    const event = somethingHappens(random) as SaidEvent & { payload: object };
    if (filling > 0) Object.assign(event.payload, { more: String(random.next()).repeat(Math.ceil(filling / 18)) });
    file.events.push(event);
    return JSON.stringify(event);
  });
  return { ...file, lineCount: lines, text: `${text.join('\n')}\n` };
}

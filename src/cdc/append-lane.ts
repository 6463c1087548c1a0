import type { Appended, LogEntry } from './event-log.repository.js';

/** What one call wants in the log. */
export interface WaitingCall {
  entries: readonly LogEntry[];
  catalogVersion: bigint | null;
  resolve: (appended: Appended[]) => void;
  reject: (error: unknown) => void;
}

export const MAX_GROUP_EVENTS = 1_000;
const MAX_GROUP_CHARACTERS = 4 * 1024 * 1024;

/** The calls from the front of the queue that can share a commit: checked against the same catalog, and not too much at once. */
export function takeGroup(queue: WaitingCall[]): WaitingCall[] {
  const [first] = queue;
  let [events, characters, calls] = [0, 0, 0];
  for (const { entries, catalogVersion } of queue) {
    events += entries.length;
    characters += entries.reduce((sum, { envelope }) => sum + envelope.length, 0);
    const fits = events <= MAX_GROUP_EVENTS && characters <= MAX_GROUP_CHARACTERS;
    if (calls > 0 && (!fits || catalogVersion !== first?.catalogVersion)) break;
    calls += 1;
  }
  return queue.splice(0, calls);
}

/** The entries of a group with each event once, and for every call where its entries stand among them. */
export interface MergedGroup {
  entries: LogEntry[];
  /** By call and entry: the index into `entries`, and whether an earlier entry of the group is the same event. */
  places: { index: number; repeated: boolean }[][];
}

export function mergeGroup(calls: readonly WaitingCall[]): MergedGroup {
  const entries: LogEntry[] = [];
  const known = new Map<string, number>();
  const places = calls.map((call) =>
    call.entries.map((entry) => {
      const key = eventKey(entry);
      const earlier = known.get(key);
      if (earlier !== undefined) return { index: earlier, repeated: true };
      known.set(key, entries.length);
      entries.push(entry);
      return { index: entries.length - 1, repeated: false };
    }),
  );
  return { entries, places };
}

/** The entries of one call with each event once. */
export function mergeEntries(entries: readonly LogEntry[]): LogEntry[] {
  const known = new Set<string>();
  return entries.filter((entry) => known.size < known.add(eventKey(entry)).size);
}

function eventKey({ occurredAt, eventId }: LogEntry): string {
  return `${occurredAt} ${eventId}`;
}

/** What each call gets of the group's answer: an event that an earlier call of the group brought is a duplicate. */
export function shareOut({ places }: MergedGroup, appended: readonly Appended[]): Appended[][] {
  return places.map((ofCall) =>
    ofCall.map(({ index, repeated }) => {
      const found = appended[index];
      if (!found) throw new Error('the log answered fewer events than it was given');
      return repeated ? { ...found, duplicate: true } : found;
    }),
  );
}

import type { LoggedEvent, LogState } from './log-state.js';
import { hashOfSaid, type SaidEvent } from './said-event.js';

/** What a client was told of an event. */
export interface Heard {
  status: 'accepted' | 'duplicate';
  position: bigint;
}

interface Saying {
  orgcode: string;
  eventId: string;
  thing: string;
  hash: string;
  heard: Heard[];
  /** Its writer undid it and knows so. */
  isTakenBack: boolean;
}

interface Reading {
  orgcode: string;
  reader: string;
  items: { position: bigint; hash: string; isOwn: boolean }[];
}

export interface LedgerFigures {
  acknowledged: number;
  answers: number;
  inLog: number;
  /** In the log and never acknowledged: whoever said it did not come back for the answer. */
  unacknowledged: number;
  /** Acknowledged, and never as new: the first answer was lost on its way. */
  answersLost: number;
  read: number;
}

const OWN_SERVICE = 'ipm';
const SHOWN_OF_A_KIND = 4;

/**
 * The oracle of every fault test: clients write down what they say and what they are told, readers what they see. In the end
 * it is held against the log; each complaint names the promise that was broken.
 */
export class Ledger {
  private readonly sayings = new Map<string, Saying>();
  /** Calls of several events, by what they said: all of it is in the log, or nothing. */
  private readonly calls: (readonly Saying[])[] = [];
  private readonly readings = new Map<string, Reading>();
  private readonly strangeness: string[] = [];

  /** One call or one transaction, before it is sent. */
  says(orgcode: string, events: readonly SaidEvent[]): void {
    const sayings = events.map((event) => {
      const key = keyOf(orgcode, event.event_id);
      const saying = this.sayings.get(key) ?? {
        orgcode,
        eventId: event.event_id,
        thing: event.resource_id,
        hash: hashOfSaid(event),
        heard: [],
        isTakenBack: false,
      };
      this.sayings.set(key, saying);
      return saying;
    });
    if (events.length > 1) this.calls.push(sayings);
  }

  hears(orgcode: string, eventId: string, heard: Heard): void {
    const saying = this.sayings.get(keyOf(orgcode, eventId));
    if (saying) saying.heard.push(heard);
    else this.strange(`${orgcode} was answered about ${eventId}, of which it had said nothing`);
  }

  takesBack(orgcode: string, events: readonly SaidEvent[]): void {
    for (const { event_id } of events) this.sayings.get(keyOf(orgcode, event_id))!.isTakenBack = true;
  }

  /** One page, as the feed gave it to this reader. */
  reads(reader: string, orgcode: string, items: readonly Record<string, unknown>[]): void {
    const key = keyOf(orgcode, reader);
    const reading = this.readings.get(key) ?? { orgcode, reader, items: [] };
    this.readings.set(key, reading);
    for (const item of items) {
      if (item.orgcode !== orgcode)
        this.strange(`${reader} of ${orgcode} was shown an event of ${String(item.orgcode)}`);
      const isOwn = item.service === OWN_SERVICE;
      reading.items.push({ position: BigInt(String(item.position)), hash: hashOfSaid(item), isOwn });
    }
  }

  /** An answer that nobody should ever get. */
  strange(what: string): void {
    this.strangeness.push(what);
  }

  get acknowledged(): number {
    return [...this.sayings.values()].filter(({ heard }) => heard.length > 0).length;
  }

  figures({ events }: LogState): LedgerFigures {
    const logged = new Set(events.map(({ orgcode, eventId }) => keyOf(orgcode, eventId)));
    const sayings = [...this.sayings];
    return {
      acknowledged: this.acknowledged,
      answers: sayings.reduce((sum, [, { heard }]) => sum + heard.length, 0),
      inLog: sayings.filter(([key]) => logged.has(key)).length,
      unacknowledged: sayings.filter(([key, { heard }]) => logged.has(key) && heard.length === 0).length,
      answersLost: sayings.filter(([, { heard }]) => heard.length > 0 && heard.every(isRepeated)).length,
      read: [...this.readings.values()].reduce((sum, { items }) => sum + items.length, 0),
    };
  }

  /** Every promise that was broken, by kind; empty when all were kept. */
  complaints(log: LogState): string[] {
    const rows = new Map<string, LoggedEvent[]>();
    for (const row of log.events) {
      const key = keyOf(row.orgcode, row.eventId);
      rows.set(key, [...(rows.get(key) ?? []), row]);
    }
    return [
      ...inShort('strange', this.strangeness),
      ...inShort('lost', this.lost(rows)),
      ...inShort('moved', this.moved(rows)),
      ...inShort('twice', this.twice(log)),
      ...inShort('foreign', this.foreign(log)),
      ...inShort('altered', this.altered(rows)),
      ...inShort('half', [...log.halves, ...this.halfCalls(rows)]),
      ...inShort('skipped', this.skipped(log)),
      ...inShort('order', this.disorder(log)),
    ];
  }

  private lost(rows: ReadonlyMap<string, LoggedEvent[]>): string[] {
    return [...this.sayings]
      .filter(([key, { heard }]) => heard.length > 0 && !rows.has(key))
      .map(([key, { heard }]) => `${key} was acknowledged at ${heard[0]?.position} and is not in the log`);
  }

  /** Every answer about an event names the one place where it stands, and one of them at most says that it was new. */
  private moved(rows: ReadonlyMap<string, LoggedEvent[]>): string[] {
    return [...this.sayings].flatMap(([key, { heard }]) => {
      const places = new Set([...heard, ...(rows.get(key) ?? [])].map(({ position }) => position));
      const news = heard.filter(({ status }) => status === 'accepted').length;
      return [
        ...(heard.length > 0 && places.size > 1 ? [`${key} stands or was answered at ${[...places].join(', ')}`] : []),
        ...(news > 1 ? [`${key} was answered as new ${news} times`] : []),
      ];
    });
  }

  private twice({ events }: LogState): string[] {
    const places = new Map<string, bigint[]>();
    for (const { orgcode, eventId, position } of events) {
      const saying = this.sayings.get(keyOf(orgcode, eventId));
      if (!saying) continue;
      const thing = `${orgcode} ${saying.thing}`;
      places.set(thing, [...(places.get(thing) ?? []), position]);
    }
    return [...places]
      .filter(([, positions]) => positions.length > 1)
      .map(([thing, positions]) => `${thing} happened once and stands at ${positions.join(', ')}`);
  }

  private foreign({ events }: LogState): string[] {
    return events
      .filter(({ service }) => service !== OWN_SERVICE)
      .filter(({ orgcode, eventId }) => this.sayings.get(keyOf(orgcode, eventId))?.isTakenBack !== false)
      .map(
        ({ orgcode, eventId, position }) => `${eventId} at ${position} was never said, or taken back, by ${orgcode}`,
      );
  }

  private altered(rows: ReadonlyMap<string, LoggedEvent[]>): string[] {
    const said = new Set([...this.sayings.values()].map(({ orgcode, hash }) => keyOf(orgcode, hash)));
    const stored = [...this.sayings].flatMap(([key, { hash }]) =>
      (rows.get(key) ?? []).filter((row) => row.hash !== hash).map(({ position }) => `${key}, stored at ${position}`),
    );
    const shown = [...this.readings.values()].flatMap(({ orgcode, reader, items }) =>
      items
        .filter(({ hash, isOwn }) => !isOwn && !said.has(keyOf(orgcode, hash)))
        .map(({ position }) => `${orgcode} ${position}, shown to ${reader}`),
    );
    return [...stored, ...shown];
  }

  private halfCalls(rows: ReadonlyMap<string, LoggedEvent[]>): string[] {
    return this.calls.flatMap((call) => {
      const there = call.filter(({ orgcode, eventId }) => rows.has(keyOf(orgcode, eventId))).length;
      if (there === 0 || there === call.length) return [];
      return [`${there} of ${call.length} events of one call are there, the first is ${call[0]?.eventId}`];
    });
  }

  private skipped(log: LogState): string[] {
    return [...this.readings.values()].flatMap(({ orgcode, reader, items }) => {
      const seen = new Set(items.map(placeOf));
      const own = log.events.filter((event) => event.orgcode === orgcode);
      const missed = own.filter((event) => !seen.has(placeOf(event)));
      const end = own.at(-1)?.position;
      return missed.map(
        ({ position, service }) => `${reader} of ${orgcode} never saw ${position} of ${service}, of a log to ${end}`,
      );
    });
  }

  /** Readers with pages of any size saw the log as it stands, each event once and in order. */
  private disorder(log: LogState): string[] {
    return [...this.readings.values()].flatMap(({ orgcode, reader, items }) => {
      const stands = new Set(log.events.filter((event) => event.orgcode === orgcode).map(placeOf));
      return items.flatMap((item, i) => {
        const before = items[i - 1]?.position ?? 0n;
        if (item.position <= before) return [`${reader} of ${orgcode} saw ${item.position} after ${before}`];
        return stands.has(placeOf(item)) ? [] : [`${reader} of ${orgcode} saw at ${item.position} what is not there`];
      });
    });
  }
}

function isRepeated({ status }: Heard): boolean {
  return status === 'duplicate';
}

/** Another event at the same position is another event. */
function placeOf({ position, hash }: { position: bigint; hash: string }): string {
  return `${position} ${hash}`;
}

function keyOf(orgcode: string, name: string): string {
  return `${orgcode} ${name}`;
}

export function inShort(kind: string, found: readonly string[]): string[] {
  const shown = found.slice(0, SHOWN_OF_A_KIND).map((what) => `${kind}: ${what}`);
  return found.length > SHOWN_OF_A_KIND ? [...shown, `${kind}: ${found.length} in all`] : shown;
}

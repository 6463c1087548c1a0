import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

const catalog = path.resolve(import.meta.dirname, '../catalog/events');

/** Of the catalog: each is checked against its schema, two of them strictly, and five have something to redact. */
const TYPES = [
  'scm/purchase_order.released',
  'ics/stock_level.changed',
  'scm/shipment.dispatched',
  'pcm/price.changed',
  'ics/reservation.created',
  'pcm/product.changed',
];
const NO_ID = '00000000-0000-0000-0000-000000000000';
const NO_TIME = '2000-01-01T00:00:00.000Z';
/** Where the hex digits of an id stand, four at a time. */
const QUADS = [0, 4, 9, 14, 19, 24, 28, 32];
const HEX = Uint32Array.from({ length: 0x10000 }, (_, n) =>
  Buffer.from(n.toString(16).padStart(4, '0')).readUInt32LE(),
);

export const EVENT_BYTES = 1024;

/** The specimen of each type, its payload filled up until the event has so many bytes as JSON; id and time are to be written. */
export function eventsOfSize(bytes) {
  return TYPES.map((name) => {
    const { specimen } = parse(readFileSync(path.join(catalog, `${name}.yaml`), 'utf8'));
    return filledUp({ ...specimen, event_id: NO_ID, occurred_at: NO_TIME }, bytes);
  });
}

function filledUp(event, bytes) {
  const attributes = [];
  const filled = { ...event, payload: { ...event.payload, attributes } };
  const missing = () => bytes - JSON.stringify(filled).length;
  for (let i = 1; missing() >= 0; i += 1) attributes.push({ code: `attribute_${i}`, value: 'between 1 and 9, of 10' });
  attributes.pop();
  if (attributes.length === 0) return event;
  attributes.at(-1).value += '.'.repeat(missing());
  return filled;
}

/** Bytes with the ids and times of events in them, to be written anew for every use. */
export function eventTemplate(text) {
  const bytes = Buffer.from(text);
  return { bytes, idsAt: allIn(bytes, NO_ID), timesAt: allIn(bytes, NO_TIME) };
}

function allIn(bytes, text) {
  const places = [];
  for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + 1)) places.push(at);
  return places;
}

/** Looks random and is another one for every number below 2³² of one salt. */
export function writeId(bytes, at, number, salt) {
  let quad = 0;
  for (let lane = 0; lane < 4; lane += 1) {
    const bits = scrambled(number, salt + lane);
    bytes.writeUInt32LE(HEX[bits >>> 16], at + QUADS[quad]);
    bytes.writeUInt32LE(HEX[bits & 0xffff], at + QUADS[quad + 1]);
    quad += 2;
  }
}

export function scrambled(number, salt) {
  let bits = Math.imul(number ^ salt, 0x9e3779b1);
  bits = Math.imul(bits ^ (bits >>> 15), 0x85ebca77);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae3d);
  return (bits ^ (bits >>> 16)) >>> 0;
}

let writtenSecond = { second: 0, text: '' };

/** `2026-11-21T10:00:00.000Z` */
export function writeTime(bytes, at, ms) {
  const second = Math.floor(ms / 1000);
  if (writtenSecond.second !== second)
    writtenSecond = { second, text: new Date(second * 1000).toISOString().slice(0, 20) };
  bytes.latin1Write(writtenSecond.text, at, 20);
  const fraction = ms - second * 1000;
  bytes[at + 20] = 48 + Math.floor(fraction / 100);
  bytes[at + 21] = 48 + (Math.floor(fraction / 10) % 10);
  bytes[at + 22] = 48 + (fraction % 10);
}

// Rows of the event log and of its ledger in the binary format of COPY, by the million: what the product stores for an event, with
// position, id and times written into a template.
import { envelopeText } from '../dist/cdc/event-envelope.js';
import { eventTemplate, writeId, writeTime } from './events.mjs';

const CHUNK_BYTES = 1024 * 1024;
const MOST_ROW_BYTES = 64 * 1024;
const SIGNATURE = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
const TRAILER = Buffer.from([0xff, 0xff]);
const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1);
const RECORDED_AFTER_MS = 40;

const EVENT_COLUMNS =
  'orgcode, position, event_id, service, action, occurred_at, recorded_at, logical_guid, channel_code, pushed, envelope';
const KEY_COLUMNS = 'orgcode, occurred_at, event_id, position';

/** For rows of `eventRow` and `keyRow` into these tables. */
export const copyStatements = {
  events: (table, options = '') => `copy ${table} (${EVENT_COLUMNS}) from stdin (format binary${options})`,
  keys: (table, options = '') => `copy ${table} (${KEY_COLUMNS}) from stdin (format binary${options})`,
};

/** The row of an event of the organisation, as publishing through an API key stores it. */
export function eventRow(orgcode, event) {
  const context = { orgcode, actor: 'api_key:bench', roles: ['integration_service'], context_source: 'api_key' };
  const { payload, ...rest } = event;
  const envelope = envelopeText(rest, payload, { orgcode, origin: 'publish', context, flags: [] });
  return new RowTemplate([
    orgcode,
    POSITION,
    event.event_id,
    event.service,
    event.action,
    TIME,
    TIME,
    event.logical_guid ?? null,
    event.channel_code ?? null,
    true,
    envelope,
  ]);
}

export function keyRow(orgcode, event) {
  return new RowTemplate([orgcode, TIME, event.event_id, POSITION]);
}

const POSITION = Symbol('position');
const TIME = Symbol('time');

class RowTemplate {
  constructor(values) {
    const fields = values.map((value) => fieldOf(value));
    const count = Buffer.alloc(2);
    count.writeInt16BE(values.length);
    const template = eventTemplate(Buffer.concat([count, ...fields]));
    this.bytes = template.bytes;
    this.idsAt = template.idsAt;
    this.textTimesAt = template.timesAt;
    const offsets = fields.map((_, i) => 2 + fields.slice(0, i).reduce((sum, { length }) => sum + length, 0) + 4);
    this.positionAt = offsets[values.indexOf(POSITION)];
    this.timesAt = offsets.filter((_, i) => values[i] === TIME);
  }

  /** Answers where the row ends. */
  write(into, at, { position, occurredMs, salt }) {
    this.bytes.copy(into, at);
    writeInt64(into, at + this.positionAt, position);
    for (const idAt of this.idsAt) writeId(into, at + idAt, position, salt);
    for (const textAt of this.textTimesAt) writeTime(into, at + textAt, occurredMs);
    let ms = occurredMs;
    for (const timeAt of this.timesAt) {
      writeInt64(into, at + timeAt, (ms - POSTGRES_EPOCH_MS) * 1000);
      ms += RECORDED_AFTER_MS;
    }
    return at + this.bytes.length;
  }
}

function fieldOf(value) {
  if (value === null) return int32(-1);
  const bytes =
    value === POSITION || value === TIME ? Buffer.alloc(8) : value === true ? Buffer.from([1]) : Buffer.from(value);
  return Buffer.concat([int32(bytes.length), bytes]);
}

function int32(number) {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(number);
  return bytes;
}

function writeInt64(bytes, at, number) {
  bytes.writeInt32BE(Math.floor(number / 2 ** 32), at);
  bytes.writeUInt32BE(number >>> 0, at + 4);
}

/** One chunk of COPY after the other, in one buffer. `write(into, at, number)` writes the row of a number and answers where it ends. */
export function* chunksOfRows(from, to, write) {
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES + MOST_ROW_BYTES);
  let end = SIGNATURE.copy(buffer, 0);
  for (let number = from; number < to; number += 1) {
    end = write(buffer, end, number);
    if (end < CHUNK_BYTES) continue;
    yield buffer.subarray(0, end);
    end = 0;
  }
  end += TRAILER.copy(buffer, end);
  yield buffer.subarray(0, end);
}

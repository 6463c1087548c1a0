import { renderedEvent, type StoredEvent } from '../cdc/rendered-event.dto.js';

/** Of who published only what a third party may know: neither roles nor fingerprints, nor what may be added one day. */
const SHOWN_CONTEXT = ['orgcode', 'logical_guid', 'channel_code', 'cccode', 'actor', 'context_source'];

const QUOTE = '"';
const BACKSLASH = '\\';

/**
 * The stored envelope as webhooks send it. Only the request_context is parsed: everything else goes out as it lies in the log,
 * and a payload of 200 KB costs no more than one of 200 bytes.
 */
export function thirdPartyEnvelope(event: StoredEvent): string {
  const { envelope } = event;
  const place = placeOf('request_context', envelope);
  if (!place) return renderedEvent(event);
  const [from, to] = place;
  const shown = JSON.stringify(JSON.parse(envelope.slice(from, to)), SHOWN_CONTEXT);
  return renderedEvent({ ...event, envelope: envelope.slice(0, from) + shown + envelope.slice(to) });
}

/** Where the value of a member of the outermost object stands. A search for its name would find it in source_refs, too. */
function placeOf(name: string, compactJson: string): [from: number, to: number] | undefined {
  let at = 1;
  while (compactJson[at] === QUOTE) {
    const keyEnd = endOfString(compactJson, at);
    const valueEnd = endOfValue(compactJson, keyEnd + 1);
    if (compactJson.slice(at + 1, keyEnd - 1) === name) return [keyEnd + 1, valueEnd];
    at = valueEnd + 1;
  }
  return undefined;
}

function endOfValue(json: string, from: number): number {
  const first = json[from];
  if (first === QUOTE) return endOfString(json, from);
  if (first === '{' || first === '[') return endOfStructure(json, from);
  let at = from;
  while (at < json.length && json[at] !== ',' && json[at] !== '}') at += 1;
  return at;
}

function endOfStructure(json: string, from: number): number {
  let depth = 0;
  for (let at = from; at < json.length; at += 1) {
    const character = json[at];
    if (character === QUOTE) at = endOfString(json, at) - 1;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    if (depth === 0) return at + 1;
  }
  return json.length;
}

function endOfString(json: string, opening: number): number {
  for (let at = json.indexOf(QUOTE, opening + 1); at !== -1; at = json.indexOf(QUOTE, at + 1)) {
    let before = at;
    while (json[before - 1] === BACKSLASH) before -= 1;
    if ((at - before) % 2 === 0) return at + 1;
  }
  return json.length;
}

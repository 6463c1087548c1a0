import { itemInLine } from '../platform/http/body-parser.js';

const MAX_CHARACTERS = 160;
const NAMES = ['event_id', 'service', 'action', 'occurred_at'];
const PROPERTY = /^"[\w.-]{1,64}"(?=\s*:)/;

/**
 * What a report may show of a refused line, which nobody has redacted: of an event what it is found by, of anything else its shape, with
 * the names of properties and every other letter and digit made unreadable.
 */
export function lineExcerpt(bytes: Buffer | undefined): string {
  if (bytes === undefined) return '';
  const item = itemInLine(bytes);
  if (isObject(item)) {
    const named = NAMES.flatMap((name) => (typeof item[name] === 'string' ? [[name, item[name].slice(0, 128)]] : []));
    if (named.length > 0) return JSON.stringify(Object.fromEntries(named));
  }
  return shapeOf(
    bytes
      .subarray(0, MAX_CHARACTERS * 4)
      .toString('utf8')
      .slice(0, MAX_CHARACTERS),
  );
}

function shapeOf(text: string): string {
  let shape = '';
  for (let rest = text; rest.length > 0;) {
    const [name = ''] = PROPERTY.exec(rest) ?? [];
    shape += name === '' ? masked(rest.slice(0, 1)) : name;
    rest = rest.slice(Math.max(name.length, 1));
  }
  return shape;
}

function masked(character: string): string {
  if (/\d/.test(character)) return '9';
  return /[\s{}[\]":,.]/.test(character) && character >= ' ' ? character : 'x';
}

function isObject(item: unknown): item is Record<string, unknown> {
  return typeof item === 'object' && item !== null && !Array.isArray(item);
}

import { itemInLine } from '../platform/http/body-parser.js';

const MAX_CHARACTERS = 160;
const NAMES = ['event_id', 'service', 'action', 'occurred_at'];
/** A string, as far as it goes, or one character: the line is broken somewhere. */
const TOKEN = /"(?:[^"\\]|\\.)*"?|[^"]/gs;
const EACH = /./gs;
const NAME = /^"[A-Za-z_][\w.-]{0,63}"$/;
const BEFORE_A_VALUE = /^\s*:/;

/**
 * What a report may show of a refused line, which nobody has redacted: of an event what it is found by, of anything else its shape, with
 * the names of properties and every other letter and digit made unreadable. A name is what stands where an object has one: a value in
 * front of a colon that does not belong there is none.
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
  const open: string[] = [];
  let before = '';
  return text.replace(TOKEN, (token: string, at: number) => {
    const mayBeNamed = open.at(-1) === '{' && (before === '{' || before === ',');
    const isName = mayBeNamed && NAME.test(token) && BEFORE_A_VALUE.test(text.slice(at + token.length));
    if (token === '{' || token === '[') open.push(token);
    else if (token === '}' || token === ']') open.pop();
    if (token.trim() !== '') before = token;
    return isName ? token : token.replace(EACH, masked);
  });
}

function masked(character: string): string {
  if (/\d/.test(character)) return '9';
  return /[\s{}[\]":,.]/.test(character) && character >= ' ' ? character : 'x';
}

function isObject(item: unknown): item is Record<string, unknown> {
  return typeof item === 'object' && item !== null && !Array.isArray(item);
}

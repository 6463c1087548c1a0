import { AppError } from '../errors/app-error.js';
import { platformErrors } from '../errors/platform.errors.js';

export const MAX_BODY_DEPTH = 32;

/**
 * Refuses what could be parsed but not kept: nesting that overflows stacks later, text that Postgres cannot store,
 * numbers that are no longer what was sent.
 */
export function assertStorable(body: unknown): void {
  if (!isStorable(body, 1)) refuse(body);
}

/** Without paths, which only a refusal needs: nearly everything that comes is fine, and events come by the thousand. */
function isStorable(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return isStorableText(value);
  if (typeof value === 'number') return isExact(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth > MAX_BODY_DEPTH) return false;
  if (Array.isArray(value)) {
    for (const item of value) if (!isStorable(item, depth + 1)) return false;
    return true;
  }
  for (const name in value) {
    if (!isStorableText(name) || !isStorable((value as Record<string, unknown>)[name], depth + 1)) return false;
  }
  return true;
}

/** Once more, to say where. Walks with a stack of its own, so that depth cannot hurt the walk. */
function refuse(body: unknown): void {
  const open: { value: unknown; path: string; depth: number }[] = [{ value: body, path: '', depth: 1 }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, path, depth } = next;
    if (typeof value === 'string') assertText(value, path);
    else if (typeof value === 'number') assertNumber(value, path);
    else if (typeof value === 'object' && value !== null) {
      if (depth > MAX_BODY_DEPTH)
        throw new AppError(platformErrors.bodyTooDeep, { details: { max_depth: MAX_BODY_DEPTH } });
      for (const [name, inner] of Object.entries(value)) {
        const innerPath = path === '' ? name : `${path}.${name}`;
        if (!Array.isArray(value)) assertText(name, path);
        if (inner !== null && typeof inner !== 'boolean')
          open.push({ value: inner, path: innerPath, depth: depth + 1 });
      }
    }
  }
}

function isStorableText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

function isExact(number: number): boolean {
  return Number.isSafeInteger(number) || (Number.isFinite(number) && !Number.isInteger(number));
}

function assertText(text: string, path: string): void {
  if (isStorableText(text)) return;
  throw new AppError(platformErrors.textNotStorable, { fields: [{ path: printable(path), tag: 'not_storable' }] });
}

function assertNumber(number: number, path: string): void {
  if (isExact(number)) return;
  throw new AppError(platformErrors.numberNotExact, { fields: [{ path: printable(path), tag: 'not_exact' }] });
}

function printable(path: string): string {
  return path.toWellFormed().replaceAll('\0', '\\0').slice(0, 200);
}

import { AppError } from '../errors/app-error.js';
import { platformErrors } from '../errors/platform.errors.js';

export const MAX_BODY_DEPTH = 32;

/**
 * Refuses what could be parsed but not kept: nesting that overflows stacks later, text that Postgres cannot store,
 * numbers that are no longer what was sent. Walks with a stack of its own, so that depth cannot hurt the walk.
 */
export function assertStorable(body: unknown): void {
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

function assertText(text: string, path: string): void {
  if (!text.includes('\0') && text.isWellFormed()) return;
  throw new AppError(platformErrors.textNotStorable, { fields: [{ path: printable(path), tag: 'not_storable' }] });
}

function assertNumber(number: number, path: string): void {
  if (Number.isSafeInteger(number) || (Number.isFinite(number) && !Number.isInteger(number))) return;
  throw new AppError(platformErrors.numberNotExact, { fields: [{ path: printable(path), tag: 'not_exact' }] });
}

function printable(path: string): string {
  return path.toWellFormed().replaceAll('\0', '\\0').slice(0, 200);
}

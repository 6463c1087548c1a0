import { createHash, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DatabaseLife } from '../database/database-life.js';
import { AppError } from '../errors/app-error.js';
import { platformErrors } from '../errors/platform.errors.js';
import { Keyring } from '../secrets/keyring.js';

export const DEFAULT_LIMIT = 8;
export const MIN_LIMIT = 1;
export const MAX_LIMIT = 256;

/** What a page belongs to: a token made for one scope is refused in any other. */
export interface PageScope {
  orgcode: string;
  /** The operation, or the family of operations that share a cursor. */
  list: string;
  filters: Readonly<Record<string, unknown>>;
}

export interface Page<Item> {
  items: Item[];
  next_token?: object;
}

type Position = readonly (string | number)[];

export function clampLimit(limit: number | undefined): number {
  return Math.min(MAX_LIMIT, Math.max(MIN_LIMIT, limit ?? DEFAULT_LIMIT));
}

/** Makes and reads `next_token`: opaque, authenticated, bound to organisation, database life, list and filters. */
@Injectable()
export class Paging {
  constructor(
    private readonly keyring: Keyring,
    private readonly life: DatabaseLife,
  ) {}

  /** Where to go on, or undefined at the start of the list. */
  positionAfter(token: object | undefined, scope: PageScope): Position | undefined {
    if (token === undefined) return undefined;
    const given = (token as { token?: unknown }).token;
    const text = typeof given === 'string' ? given : '';
    const [body = ''] = text.split('.');
    // The text as a whole: base64url has several spellings of the same bytes.
    if (!sameText(text, this.tokenText(body, scope))) throw new AppError(platformErrors.nextTokenInvalid);
    return JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as Position;
  }

  tokenAt(position: Position, scope: PageScope): object {
    return { token: this.tokenText(bodyOf(position), scope) };
  }

  /** Tokens of one scope by the thousand, as text: what depends on the scope alone is computed once. */
  textsOf(scope: PageScope): (position: Position) => string {
    const filterHash = hashOf(scope.filters);
    return (position) => this.tokenText(bodyOf(position), scope, filterHash);
  }

  /** The page out of `limit + 1` rows: the one too many only says that there are more. */
  page<Row, Item>(
    rows: readonly Row[],
    limit: number,
    scope: PageScope,
    { position, item }: PageMapping<Row, Item>,
  ): Page<Item> {
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const more = rows.length > limit && last !== undefined;
    return { items: shown.map(item), ...(more ? { next_token: this.tokenAt(position(last), scope) } : {}) };
  }

  private tokenText(body: string, { orgcode, list, filters }: PageScope, filterHash = hashOf(filters)): string {
    const mac = this.keyring.keyedHash('next_token', [this.life.epoch, orgcode, list, filterHash, body].join('|'));
    return `${body}.${mac.toString('base64url')}`;
  }
}

function bodyOf(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

function hashOf(filters: PageScope['filters']): string {
  return createHash('sha256').update(JSON.stringify(filters)).digest('base64url');
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

export interface PageMapping<Row, Item> {
  position: (row: Row) => Position;
  item: (row: Row) => Item;
}

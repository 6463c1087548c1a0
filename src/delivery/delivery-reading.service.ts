import { Injectable } from '@nestjs/common';
import { EventDeliveries } from '../cdc/event-deliveries.service.js';
import { FeedService } from '../cdc/feed.service.js';
import type { EventDelivery } from '../cdc/cdc.dto.js';
import { Database } from '../platform/database/database.js';
import type { Db } from '../platform/database/transaction.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Caller } from '../platform/http/caller.js';
import { clampLimit, Paging, type PageScope } from '../platform/http/paging.js';
import { parseUtcTime } from '../platform/http/utc-time.js';
import { webhookErrors } from '../webhook/webhook.errors.js';
import { deliveryId, deliveryKey, type DeliveryKey } from './delivery-id.js';
import {
  DeliveryReadingRepository,
  type DeliveryRow,
  type DeliverySearch,
  type WebhookRow,
} from './delivery-reading.repository.js';
import type {
  Delivery,
  DeliveryGetData,
  DeliveryGetRequest,
  DeliveryList,
  DeliveryListRequest,
} from './delivery.dto.js';
import { deliveryErrors } from './delivery.errors.js';
import { attemptsToWire, deliveryToWire, statusOf } from './delivery.mapper.js';

export { deliveryId, deliveryKey, type DeliveryKey };

/** Keys that one page looks at, however few of them pass: then it answers short, and goes on in the next. */
const MAX_SCANNED = 20_000;
/** What waits in a lane is looked through for times no further. */
const MAX_DUE_SCANNED = 100_000;
const MAX_ATTEMPTS_SHOWN = 256;
const MAX_OF_EVENT = 100;
const NEWEST: DeliverySearch['below'] = { position: 2n ** 63n - 1n, replayNo: 2 ** 31 - 1 };

/** What became of events, for who may see it. */
@Injectable()
export class DeliveryReading extends EventDeliveries {
  constructor(
    private readonly database: Database,
    private readonly repository: DeliveryReadingRepository,
    private readonly feed: FeedService,
    private readonly paging: Paging,
  ) {
    super();
  }

  async list(caller: Caller, request: DeliveryListRequest): Promise<DeliveryList> {
    const { orgcode } = caller;
    const { limit, next_token, ...filters } = request;
    const scope = { orgcode, list: 'webhook/delivery/list', filters };
    const below = this.placeIn(next_token, scope);
    const position = await this.positionOf(caller, request);
    return this.database.read(orgcode, async (db) => {
      const webhook = await this.repository.webhook(db, orgcode, request.webhook_id);
      if (!webhook) throw new AppError(webhookErrors.notFound);
      const search = await this.search(db, orgcode, webhook, request, { below, position });
      if (!search) return { items: [], has_more: false };
      return this.page(db, webhook, search, clampLimit(limit), scope);
    });
  }

  get({ orgcode }: Caller, { delivery_id }: DeliveryGetRequest): Promise<DeliveryGetData> {
    return this.database.read(orgcode, async (db) => {
      const { row, delivery } = await this.one(db, orgcode, keyIn(delivery_id));
      const failed = await this.repository.attempts(db, orgcode, row, MAX_ATTEMPTS_SHOWN);
      return { delivery, attempts: attemptsToWire(row, failed) };
    });
  }

  /** Unknown, foreign and malformed are the same. */
  async one(db: Db, orgcode: string, key: DeliveryKey): Promise<{ row: DeliveryRow; delivery: Delivery }> {
    const row = await this.repository.find(db, orgcode, key);
    const webhook = row && (await this.repository.webhookOfLane(db, orgcode, key.lane));
    if (!row || !webhook) throw new AppError(deliveryErrors.notFound);
    const [delivery] = await this.shown(db, orgcode, webhook, [row]);
    if (!delivery) throw new AppError(deliveryErrors.notFound);
    return { row, delivery };
  }

  override ofEvent(orgcode: string, position: bigint): Promise<EventDelivery[]> {
    return this.database.read(orgcode, async (db) => {
      const rows = await this.repository.ofEvent(db, orgcode, position, MAX_OF_EVENT);
      return rows.map((row) => ({
        delivery_id: deliveryId(row),
        webhook_id: row.webhookId,
        status: statusOf(row.status, row.webhookStatus),
        attempts: row.attempts,
      }));
    });
  }

  private async page(
    db: Db,
    webhook: WebhookRow,
    search: DeliverySearch,
    limit: number,
    scope: PageScope,
  ): Promise<DeliveryList> {
    const { orgcode } = scope;
    const rows = await this.repository.page(db, orgcode, search, limit + 1, MAX_SCANNED);
    const shown = rows.slice(0, limit);
    const end = rows.length > limit ? shown.at(-1) : await this.repository.scanEnd(db, orgcode, search, MAX_SCANNED);
    return {
      items: await this.shown(db, orgcode, webhook, shown),
      ...(end && { next_token: this.paging.tokenAt([String(end.position), end.replayNo], scope) }),
      has_more: end !== undefined,
    };
  }

  /** Undefined where nothing can pass. */
  private async search(
    db: Db,
    orgcode: string,
    { lane, status: webhookStatus }: WebhookRow,
    { status, from_utc, to_utc }: DeliveryListRequest,
    place: Pick<DeliverySearch, 'below' | 'position'>,
  ): Promise<DeliverySearch | undefined> {
    const search = { ...place, lane, from: timeIn(from_utc), to: timeIn(to_utc) };
    if (status === undefined) return { ...search, source: 'all', status };
    if (status === 'dead') return { ...search, source: 'dead', status };
    if (status !== 'scheduled' && status !== 'held') return { ...search, source: 'all', status };
    if ((status === 'held') !== (webhookStatus === 'paused')) return undefined;
    // Where very many wait they stand close together among all, and sorting them would cost more than walking.
    const queued = await this.repository.queued(db, orgcode, lane, MAX_SCANNED);
    return { ...search, source: queued < MAX_SCANNED ? 'queue' : 'all', status: 'scheduled' };
  }

  private async shown(
    db: Db,
    orgcode: string,
    { lane, webhookId, status: webhookStatus }: WebhookRow,
    rows: readonly DeliveryRow[],
  ): Promise<Delivery[]> {
    if (rows.length === 0) return [];
    const events = await this.repository.events(
      db,
      orgcode,
      rows.map(({ position }) => position),
    );
    const scheduled = rows.filter(({ status }) => statusOf(status, webhookStatus) === 'scheduled');
    const times =
      scheduled.length === 0 ? [] : await this.repository.dueTimes(db, orgcode, lane, scheduled, MAX_DUE_SCANNED);
    const dueAt = new Map(times.map((time) => [deliveryId({ ...time, lane }), time.dueAt]));
    return rows.map((row) =>
      deliveryToWire(row, {
        webhookId,
        webhookStatus,
        event: events.get(row.position),
        dueAt: dueAt.get(deliveryId(row)),
      }),
    );
  }

  private placeIn(token: object | undefined, scope: PageScope): DeliverySearch['below'] {
    const [position, replayNo] = this.paging.positionAfter(token, scope) ?? [];
    return position === undefined ? NEWEST : { position: BigInt(position), replayNo: Number(replayNo) };
  }

  private async positionOf(
    caller: Caller,
    { event_id, occurred_at }: DeliveryListRequest,
  ): Promise<bigint | undefined> {
    if (event_id === undefined) return undefined;
    const event = await this.feed.get(caller, { event_id, ...(occurred_at !== undefined && { occurred_at }) });
    return BigInt(event.position);
  }
}

/** Of what was given as the id of a delivery. */
export function keyIn(id: string): DeliveryKey {
  const key = deliveryKey(id);
  if (!key) throw new AppError(deliveryErrors.notFound);
  return key;
}

function timeIn(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : parseUtcTime(text);
}

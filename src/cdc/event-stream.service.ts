import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { AppError } from '../platform/errors/app-error.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { Paging } from '../platform/http/paging.js';
import { log } from '../platform/telemetry/logger.js';
import { cdcErrors } from './cdc.errors.js';
import { ChunkStream } from './chunk-stream.js';
import { EventCounters } from './event-counters.service.js';
import type { FeedFilters } from './feed-filters.js';
import { feedScope, FeedService } from './feed.service.js';
import type { TailEvent } from './log-tail.js';
import { LogTails } from './log-tails.service.js';
import { renderedEvent } from './rendered-event.dto.js';

const HEARTBEAT_MS = 15_000;
/** A reader that takes nothing for so long is sent away; it comes back with the last id that it has seen. */
const SLOW_READER_MS = 30_000;
const EVENTS_A_CHUNK = 64;
const EVENTS_A_PAGE = 256;
const BUFFERED_BYTES = 64 * 1024;
const RECONNECT_MS = 1_000;

export interface StreamRequest {
  orgcode: string;
  filters: FeedFilters;
  /** A token's text, `beginning`, or `now`. */
  from: string;
  /** Asked again at every heartbeat. */
  mayGoOn: () => Promise<boolean>;
}

/** The feed as server-sent events: each carries the token to go on after it as its id. */
@Injectable()
export class EventStreams {
  constructor(
    private readonly feed: FeedService,
    private readonly tails: LogTails,
    private readonly paging: Paging,
    private readonly stop: GracefulStop,
    private readonly counters: EventCounters,
  ) {}

  /** Refuses before the first byte; what is wrong later ends the stream. */
  async open(request: StreamRequest): Promise<Readable> {
    const cursor = await this.start(request);
    const waiter = new Waiter(this.stop.signal);
    const reader = await this.tails
      .join(request.orgcode, () => waiter.wake())
      .catch((error: unknown) => {
        waiter.end();
        throw error;
      });
    const textOf = this.paging.textsOf(feedScope(request.orgcode, request.filters));
    const run = new StreamRun(request, cursor, reader.tail, (position) => textOf([String(position)]), this.feed);
    const chunks = chunksOf(run, waiter, () => stream.destroy());
    this.counters.streamOpened();
    const stream = new ChunkStream(chunks, BUFFERED_BYTES, () => {
      waiter.end();
      reader.leave();
      this.counters.streamClosed();
    });
    return stream;
  }

  private async start({ orgcode, filters, from }: StreamRequest): Promise<bigint> {
    if (from === 'now') return (await this.feed.ends(orgcode)).head;
    if (from === 'beginning') return (await this.feed.ends(orgcode)).droppedTo;
    try {
      const cursor = this.feed.cursorIn({ token: from }, feedScope(orgcode, filters)) ?? 0n;
      await this.feed.page(orgcode, filters, cursor, 1); // 410 while it can still be said
      return cursor;
    } catch (error) {
      const isToken = error instanceof AppError && error.failure.status === 400;
      throw isToken ? new AppError(cdcErrors.lastEventIdInvalid) : error;
    }
  }
}

/** Where one stream stands. */
class StreamRun {
  private readonly scopeKey: string;

  constructor(
    private readonly request: StreamRequest,
    private cursor: bigint,
    private readonly tail: Awaited<ReturnType<LogTails['join']>>['tail'],
    private readonly tokenOf: (position: bigint) => string,
    private readonly feed: FeedService,
  ) {
    this.scopeKey = tokenOf(0n);
  }

  mayGoOn(): Promise<boolean> {
    return this.request.mayGoOn();
  }

  /** The id without an event: a reader that comes back need not start at the last event that passed. */
  heartbeat(): string {
    return `: heartbeat\nid: ${this.tokenOf(this.cursor)}\n\n`;
  }

  /** What can be sent now: from the tail where it reaches back far enough, else from the log; empty at the end. */
  async next(): Promise<string> {
    const { orgcode, filters } = this.request;
    const shared = this.tail.after(this.cursor, filters, EVENTS_A_CHUNK);
    if (shared) {
      this.cursor = shared.cursor;
      return shared.events.map((event) => frame(this.sharedToken(event), event.text)).join('');
    }
    const page = await this.feed.page(orgcode, filters, this.cursor, EVENTS_A_PAGE);
    this.cursor = page.cursor;
    const frames = page.rows.map((row) => frame(this.tokenOf(row.position), renderedEvent(row)));
    return frames.length > 0 ? frames.join('') : this.heartbeat();
  }

  private sharedToken(event: TailEvent): string {
    let token = event.tokens.get(this.scopeKey);
    if (token === undefined) {
      token = this.tokenOf(event.position);
      event.tokens.set(this.scopeKey, token);
    }
    return token;
  }
}

function frame(id: string, text: string): string {
  return `id: ${id}\ndata: ${text}\n\n`;
}

async function* chunksOf(run: StreamRun, waiter: Waiter, sendAway: () => void): AsyncGenerator<string, void> {
  yield `retry: ${RECONNECT_MS}\n${run.heartbeat()}`;
  let checkAtMs = Date.now() + HEARTBEAT_MS;
  while (!waiter.isOver) {
    try {
      if (Date.now() >= checkAtMs) {
        if (!(await run.mayGoOn())) return; // asked on a busy log too, where there is always something to send
        checkAtMs = Date.now() + HEARTBEAT_MS;
        yield* taken(run.heartbeat(), sendAway);
      }
      const chunk = await run.next();
      if (chunk !== '') yield* taken(chunk, sendAway);
      else await waiter.wait(checkAtMs - Date.now());
    } catch (error) {
      log.info({ err: error }, 'a stream ends; its reader comes back');
      return;
    }
  }
}

/** The reader asks for the next chunk when it has room for it. */
async function* taken(chunk: string, sendAway: () => void): AsyncGenerator<string, void> {
  const patience = setTimeout(sendAway, SLOW_READER_MS);
  try {
    yield chunk;
  } finally {
    clearTimeout(patience);
  }
}

/** Sleeps until woken; over when it is ended, or the process stops. */
class Waiter {
  private isAwake = false;
  private isEnded = false;
  private resolve: (() => void) | undefined;
  private readonly atStop = (): void => this.wake();

  constructor(private readonly stop: AbortSignal) {
    stop.addEventListener('abort', this.atStop);
  }

  get isOver(): boolean {
    return this.isEnded || this.stop.aborted;
  }

  wake(): void {
    this.isAwake = true;
    this.resolve?.();
  }

  end(): void {
    this.isEnded = true;
    this.stop.removeEventListener('abort', this.atStop);
    this.wake();
  }

  async wait(ms: number): Promise<void> {
    if (!this.isAwake && !this.isOver) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.resolve = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.resolve = undefined;
    }
    this.isAwake = false;
  }
}

import { once } from 'node:events';
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { ErrorEnvelope } from '../../src/platform/http/envelope.dto.js';
import type { FeedEvent } from './feed.js';
import { until } from './until.js';

export interface StreamedEvent {
  id: string;
  event: FeedEvent;
}

/** The stream was refused before it began. */
class StreamRefused extends Error {
  constructor(
    readonly status: number | undefined,
    readonly headers: IncomingHttpHeaders,
    readonly error: ErrorEnvelope,
  ) {
    super(`the stream was refused with ${status} ${error.error_code}`);
  }
}

/** Reads server-sent events as EventSource does: what was cut off in the middle of an event does not count. */
export class SseClient {
  readonly events: StreamedEvent[] = [];
  /** Of the last event or heartbeat that came whole. */
  lastEventId = '';
  heartbeats = 0;
  retryMs: number | undefined;
  bytes = 0;
  /** `end` is an end in good order, `cut` any other. */
  ending: 'end' | 'cut' | undefined;
  private unread = '';

  private constructor(readonly response: IncomingMessage) {
    response.setEncoding('utf8');
    response.on('data', (text: string) => this.take(text));
    response.on('error', () => undefined);
    response.on('close', () => (this.ending = response.complete ? 'end' : 'cut'));
  }

  static async open(url: string, headers: Record<string, string>): Promise<SseClient> {
    const request = http.get(url, { headers: { accept: 'text/event-stream', ...headers }, agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    request.on('error', () => undefined); // what breaks from here on shows in the response
    if (response.statusCode === 200) return new SseClient(response);
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const { error } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { error: ErrorEnvelope };
    throw new StreamRefused(response.statusCode, response.headers, error);
  }

  get eventIds(): string[] {
    return this.events.map(({ event }) => event.event_id);
  }

  /** Waits until so many events have come. */
  async untilEvents(count: number, withinMs = 10_000): Promise<StreamedEvent[]> {
    await until(() => this.events.length >= count, withinMs);
    return this.events;
  }

  async untilBegun(): Promise<this> {
    await until(() => this.lastEventId !== '');
    return this;
  }

  async untilEnded(withinMs = 10_000): Promise<'end' | 'cut'> {
    await until(() => this.ending !== undefined, withinMs);
    return this.ending!;
  }

  /** As a network does it: at once, wherever it is. */
  cut(): void {
    this.response.destroy();
  }

  private take(text: string): void {
    this.bytes += Buffer.byteLength(text);
    const blocks = (this.unread + text).split('\n\n');
    this.unread = blocks.pop() ?? '';
    for (const block of blocks) this.dispatch(block.split('\n'));
  }

  private dispatch(lines: readonly string[]): void {
    const valuesOf = (field: string): string[] =>
      lines.filter((line) => line.startsWith(`${field}: `)).map((line) => line.slice(field.length + 2));
    const [id] = valuesOf('id');
    const data = valuesOf('data');
    const [retry] = valuesOf('retry');
    if (id !== undefined) this.lastEventId = id;
    if (retry !== undefined) this.retryMs = Number(retry);
    if (lines.some((line) => line.startsWith(':'))) this.heartbeats += 1;
    if (data.length > 0) this.events.push({ id: this.lastEventId, event: JSON.parse(data.join('\n')) as FeedEvent });
  }
}

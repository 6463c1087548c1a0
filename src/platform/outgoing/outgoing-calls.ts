import { Agent, type Dispatcher } from 'undici';
import type { EndpointPolicy } from './endpoint-rules.js';
import { guardedConnector } from './guarded-connector.js';
import { failureTag } from './outgoing-failure.js';

const MAX_ANSWER_BYTES = 64 * 1024;
const EXCERPT_BYTES = 2 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
/** No fewer than may be on their way at all: who waits for a connection behind somebody else's calls would run out of time unsent. */
const CONNECTIONS_TO_ONE = 256;
const IDLE_CONNECTION_MS = 20_000;
/** A timer that comes so late tells of a process that stood still, and not of an endpoint. */
const STOOD_STILL_MS = 250;
/** Then a call has this much longer, or it would blame endpoints for the pause and send once more what they have. */
const AFTER_STANDING_STILL_MS = 1_000;

export interface OutgoingCall {
  url: URL;
  headers: Record<string, string>;
  body: string | Buffer;
  timeoutMs: number;
  /** How much of the answer is wanted; an excerpt unless given. */
  answerBytes?: number;
}

/** What became of a call. Without a status nobody answered, and the tag says why. */
export interface OutgoingOutcome {
  status: number | undefined;
  errorTag: string | undefined;
  /** The beginning of the answer, as bytes came; who keeps it cleans it. */
  excerpt: Buffer;
  retryAfter: string | undefined;
  durationMs: number;
}

/** Calls over connections that a policy allows, bounded in time and size. */
export class OutgoingCalls {
  private readonly agent: Agent;

  constructor(policy: EndpointPolicy, ca: string | undefined) {
    this.agent = new Agent({
      connect: guardedConnector(policy, ca === undefined ? {} : { ca: [ca] }),
      connections: CONNECTIONS_TO_ONE,
      pipelining: 1,
      keepAliveTimeout: IDLE_CONNECTION_MS,
      keepAliveMaxTimeout: IDLE_CONNECTION_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: 0, // each call has a time of its own, from its start to the last byte
      bodyTimeout: 0,
    });
  }

  /** Never throws; redirects are answers like others. */
  post({ url, headers, body, timeoutMs, answerBytes = EXCERPT_BYTES }: OutgoingCall): Promise<OutgoingOutcome> {
    const options = {
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'POST',
      headers,
      body,
    } as const;
    return new Promise((resolve) =>
      this.agent.dispatch(options, new AnswerReader(timeoutMs, Math.min(answerBytes, MAX_ANSWER_BYTES), resolve)),
    );
  }

  destroy(): Promise<void> {
    return this.agent.destroy();
  }
}

/** A call that is not made. */
export function notCalled(errorTag: string): OutgoingOutcome {
  return { status: undefined, errorTag, excerpt: Buffer.alloc(0), retryAfter: undefined, durationMs: 0 };
}

class OutOfTime extends Error {}
class ReadEnough extends Error {}

/** Reads an answer within its time and size. What was sent in time and is too long counts by its status. */
class AnswerReader implements Dispatcher.DispatchHandler {
  private readonly startedMs = performance.now();
  private timer: NodeJS.Timeout;
  private controller: Dispatcher.DispatchController | undefined;
  private status: number | undefined;
  private retryAfter: string | undefined;
  private readonly chunks: Buffer[] = [];
  private bytes = 0;
  private isDone = false;

  constructor(
    private readonly timeoutMs: number,
    private readonly keptBytes: number,
    private readonly resolve: (outcome: OutgoingOutcome) => void,
  ) {
    this.timer = setTimeout(() => this.timeIsOver(), timeoutMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.isDone) controller.abort(new OutOfTime());
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return; // 100-continue and its like
    this.status = status;
    const retryAfter = headers['retry-after'];
    this.retryAfter = Array.isArray(retryAfter) ? retryAfter[0] : retryAfter;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.bytes < this.keptBytes) this.chunks.push(Buffer.from(chunk.subarray(0, this.keptBytes - this.bytes)));
    this.bytes += chunk.length;
    if (this.bytes > MAX_ANSWER_BYTES) this.giveUp(new ReadEnough());
  }

  onResponseEnd(): void {
    this.finish(undefined);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.finish(error);
  }

  private timeIsOver(): void {
    const lateMs = performance.now() - this.startedMs - this.timeoutMs;
    const afterMs = lateMs > STOOD_STILL_MS ? AFTER_STANDING_STILL_MS : 0;
    this.timer = setTimeout(() => this.giveUp(new OutOfTime()), afterMs);
  }

  private giveUp(reason: Error): void {
    if (this.isDone) return;
    this.finish(reason);
    this.controller?.abort(reason);
  }

  private finish(error: Error | undefined): void {
    if (this.isDone) return;
    this.isDone = true;
    clearTimeout(this.timer);
    const isAnswered = error === undefined || error instanceof ReadEnough;
    this.resolve({
      status: isAnswered ? this.status : undefined,
      errorTag: isAnswered ? undefined : error instanceof OutOfTime ? 'timeout' : failureTag(error),
      excerpt: Buffer.concat(this.chunks),
      retryAfter: this.retryAfter,
      durationMs: Math.round(performance.now() - this.startedMs),
    });
  }
}

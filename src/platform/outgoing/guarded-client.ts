import { lookup } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Agent, type Dispatcher } from 'undici';
import { Configuration } from '../config/configuration.js';
import { AddressRules } from './address-rules.js';
import { addressProblem, endpointProblem, type EndpointPolicy } from './endpoint-rules.js';
import { guardedConnector } from './guarded-connector.js';
import { failureTag } from './outgoing-failure.js';

const LOOKUP_MS = 2_000;
const MAX_ANSWER_BYTES = 64 * 1024;
const EXCERPT_BYTES = 2 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
/** No fewer than may be on their way at all: who waits for a connection behind somebody else's calls would run out of time unsent. */
const CONNECTIONS_TO_ONE = 256;
const IDLE_CONNECTION_MS = 20_000;

export interface OutgoingCall {
  url: URL;
  headers: Record<string, string>;
  body: string | Buffer;
  timeoutMs: number;
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

/** The one way out of the product: every call to an address that somebody else has chosen goes through here. */
@Injectable()
export class GuardedClient implements OnApplicationShutdown {
  private readonly policy: EndpointPolicy;
  private readonly agent: Agent;
  private readonly judged = new WeakMap<URL, string | undefined>();

  constructor(configuration: Configuration) {
    const { allowedNetworks, allowHttp, ca } = configuration.outgoing;
    this.policy = { addresses: new AddressRules(allowedNetworks), allowHttp };
    this.agent = new Agent({
      connect: guardedConnector(this.policy, ca === undefined ? {} : { ca: [ca] }),
      connections: CONNECTIONS_TO_ONE,
      pipelining: 1,
      keepAliveTimeout: IDLE_CONNECTION_MS,
      keepAliveMaxTimeout: IDLE_CONNECTION_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: 0, // each call has a time of its own, from its start to the last byte
      bodyTimeout: 0,
    });
  }

  /** What can be known of a URL before it is called, as a tag. */
  problemOf(url: string): string | undefined {
    return endpointProblem(url, this.policy);
  }

  /** Also where the name leads at the moment. A name that is not known yet may still come to be. */
  async problemToday(url: string): Promise<string | undefined> {
    const problem = this.problemOf(url);
    if (problem !== undefined) return problem;
    const { hostname, protocol } = new URL(url);
    const known = lookup(hostname.replace(/^\[|\]$/g, ''), { all: true }).catch(() => []);
    for (const { address } of await Promise.race([known, sleep(LOOKUP_MS, [], { ref: false })])) {
      const refused = addressProblem(this.policy, protocol, this.policy.addresses.verdict(address));
      if (refused !== undefined) return refused;
    }
    return undefined;
  }

  /** Never throws; redirects are answers like others. */
  post(call: OutgoingCall): Promise<OutgoingOutcome> {
    const problem = this.knownProblemOf(call.url);
    if (problem !== undefined) return Promise.resolve({ ...NOTHING, errorTag: problem });
    return new Promise((resolve) => this.dispatch(call, resolve));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.agent.destroy();
  }

  /** Judged once: neither the URL nor the rules change, and the address is judged at each connection. */
  private knownProblemOf(url: URL): string | undefined {
    if (!this.judged.has(url)) this.judged.set(url, this.problemOf(url.href));
    return this.judged.get(url);
  }

  private dispatch({ url, headers, body, timeoutMs }: OutgoingCall, resolve: (outcome: OutgoingOutcome) => void): void {
    const options = {
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'POST',
      headers,
      body,
    } as const;
    this.agent.dispatch(options, new AnswerReader(timeoutMs, resolve));
  }
}

const NOTHING: OutgoingOutcome = {
  status: undefined,
  errorTag: undefined,
  excerpt: Buffer.alloc(0),
  retryAfter: undefined,
  durationMs: 0,
};

class OutOfTime extends Error {}
class ReadEnough extends Error {}

/** Reads an answer within its time and size. What was sent in time and is too long counts by its status. */
class AnswerReader implements Dispatcher.DispatchHandler {
  private readonly startedMs = performance.now();
  private readonly timer: NodeJS.Timeout;
  private controller: Dispatcher.DispatchController | undefined;
  private status: number | undefined;
  private retryAfter: string | undefined;
  private readonly chunks: Buffer[] = [];
  private bytes = 0;
  private isDone = false;

  constructor(
    timeoutMs: number,
    private readonly resolve: (outcome: OutgoingOutcome) => void,
  ) {
    this.timer = setTimeout(() => this.giveUp(new OutOfTime()), timeoutMs);
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
    if (this.bytes < EXCERPT_BYTES) this.chunks.push(Buffer.from(chunk.subarray(0, EXCERPT_BYTES - this.bytes)));
    this.bytes += chunk.length;
    if (this.bytes > MAX_ANSWER_BYTES) this.giveUp(new ReadEnough());
  }

  onResponseEnd(): void {
    this.finish(undefined);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.finish(error);
  }

  private giveUp(reason: Error): void {
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

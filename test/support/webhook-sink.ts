import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';

/** A call as it arrived. */
export interface Arrival {
  path: string;
  headers: Record<string, string>;
  body: string;
  atMs: number;
  /** Of the body, where it is JSON of the default format. */
  eventId: string | undefined;
  /** The status it is answered with; 0 where the connection is cut, or the caller had hung up by then. */
  answered: number;
}

export interface SinkAnswer {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  afterMs?: number;
  /** Cut the connection instead. */
  reset?: boolean;
}

type Answering = (arrival: Arrival, howOften: number) => SinkAnswer | undefined | Promise<SinkAnswer>;

/** Receives webhooks on this machine, keeps what arrived and answers as it is told: 200 unless told otherwise. */
export class WebhookSink {
  readonly arrivals: Arrival[] = [];
  answer: Answering = () => undefined;
  private readonly seen = new Map<string, number>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<WebhookSink> {
    const server = createServer();
    const sink = new WebhookSink(server);
    server.on('request', (request, response) => void sink.receive(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return sink;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  at(path: string): Arrival[] {
    return this.arrivals.filter((arrival) => arrival.path === path);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const headers = request.headers as Record<string, string>;
    const arrival = { path: request.url ?? '', headers, body, atMs: Date.now(), eventId: eventIdIn(body), answered: 0 };
    this.arrivals.push(arrival);
    const id = `${arrival.path} ${headers['webhook-id']}`;
    const howOften = (this.seen.get(id) ?? 0) + 1;
    this.seen.set(id, howOften);
    const answer = (await this.answer(arrival, howOften)) ?? {};
    if (answer.afterMs) await sleep(answer.afterMs, undefined, { ref: false });
    if (request.socket.destroyed) return;
    arrival.answered = answer.reset ? 0 : (answer.status ?? 200);
    if (answer.reset) request.socket.resetAndDestroy();
    else response.writeHead(answer.status ?? 200, answer.headers).end(answer.body ?? '');
  }
}

/** Throws unless the arrival is signed with that secret, as the public library judges it. */
export function verified(arrival: Arrival, secret: string): unknown {
  return new Webhook(secret).verify(arrival.body, arrival.headers);
}

function eventIdIn(body: string): string | undefined {
  try {
    return (JSON.parse(body) as { event_id?: string }).event_id;
  } catch {
    return undefined;
  }
}

import { Server as NetServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { log } from '../telemetry/logger.js';

/** How long a connection that is kept alive may stay silent before it counts as unused. */
const SILENCE_MS = 300;
const POLL_MS = 20;

/**
 * Stops taking connections, answers everything that arrived and ends each connection with its last answer. Node's own
 * `close` cuts connections that are idle at that instant, also those whose next request is already on its way.
 */
export class GracefulStop {
  private readonly lastActivityMs = new Map<Socket, number>();
  private requestsAtWork = 0;
  private stopping = false;

  constructor(private readonly fastify: FastifyInstance) {
    fastify.server.on('connection', (socket: Socket) => {
      this.lastActivityMs.set(socket, Date.now());
      socket.once('close', () => this.lastActivityMs.delete(socket));
    });
    fastify.addHook('onRequest', (request, reply, done) => {
      this.requestsAtWork += 1;
      reply.raw.once('close', () => this.answered(request.raw.socket)); // also when the client went away
      done();
    });
    fastify.addHook('onSend', (_request, reply, _payload, done) => {
      if (this.stopping) void reply.header('connection', 'close');
      done();
    });
  }

  get isStopping(): boolean {
    return this.stopping;
  }

  async drain(graceSeconds: number): Promise<void> {
    this.stopping = true;
    const { server } = this.fastify;
    const deadlineMs = Date.now() + graceSeconds * 1000;
    if (server.listening) NetServer.prototype.close.call(server);
    while (Date.now() < deadlineMs && (this.requestsAtWork > 0 || this.hasRecentConnections())) await sleep(POLL_MS);
    if (this.requestsAtWork > 0)
      log.warn({ requests: this.requestsAtWork }, 'the grace period ended before these requests did');
    server.closeAllConnections();
  }

  private answered(socket: Socket): void {
    this.requestsAtWork -= 1;
    if (!socket.destroyed) this.lastActivityMs.set(socket, Date.now());
  }

  private hasRecentConnections(): boolean {
    const now = Date.now();
    return [...this.lastActivityMs.values()].some((atMs) => now - atMs < SILENCE_MS);
  }
}

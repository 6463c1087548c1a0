import { Server as NetServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { log } from '../telemetry/logger.js';

/** How long a connection that is kept alive may stay silent before it counts as unused. */
const SILENCE_MS = 300;
const POLL_MS = 20;

interface ConnectionUse {
  /** Requests that arrived and are not answered yet. */
  unanswered: number;
  lastUsedMs: number;
}

/**
 * Stops taking connections, answers everything that arrived and ends each connection with its last answer. Node's own
 * `close` cuts connections that are idle at that instant, also those whose next request is already on its way.
 */
export class GracefulStop {
  /** By connection, so that whoever goes away without waiting for the answer is forgotten with theirs. */
  private readonly connections = new Map<Socket, ConnectionUse>();
  private stopping = false;

  constructor(private readonly fastify: FastifyInstance) {
    fastify.server.on('connection', (socket: Socket) => {
      this.connections.set(socket, { unanswered: 0, lastUsedMs: Date.now() });
      socket.once('close', () => this.connections.delete(socket));
    });
    fastify.addHook('onRequest', (request, _reply, done) => {
      this.note(request.raw.socket, +1);
      done();
    });
    fastify.addHook('onSend', (_request, reply, _payload, done) => {
      if (this.stopping) void reply.header('connection', 'close');
      done();
    });
    fastify.addHook('onResponse', (request, _reply, done) => {
      this.note(request.raw.socket, -1);
      done();
    });
  }

  async drain(graceSeconds: number): Promise<void> {
    this.stopping = true;
    const { server } = this.fastify;
    const deadlineMs = Date.now() + graceSeconds * 1000;
    if (server.listening) NetServer.prototype.close.call(server);
    while (Date.now() < deadlineMs && this.isInUse()) await sleep(POLL_MS);
    const unanswered = [...this.connections.values()].reduce((sum, use) => sum + use.unanswered, 0);
    if (unanswered > 0) log.warn({ requests: unanswered }, 'the grace period ended before these requests did');
    server.closeAllConnections();
  }

  private note(socket: Socket, change: 1 | -1): void {
    const use = this.connections.get(socket);
    if (!use) return;
    use.unanswered += change;
    use.lastUsedMs = Date.now();
  }

  private isInUse(): boolean {
    const silentSinceMs = Date.now() - SILENCE_MS;
    return [...this.connections.values()].some((use) => use.unanswered > 0 || use.lastUsedMs > silentSinceMs);
  }
}

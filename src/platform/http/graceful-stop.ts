import { setMaxListeners } from 'node:events';
import { Server as NetServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { log } from '../telemetry/logger.js';

/** How long a connection that is kept alive may stay silent before it counts as unused. */
const SILENCE_MS = 300;
const POLL_MS = 20;
/**
 * Closing the port resets connections that the kernel has taken and we have not: it is closed when none came for a moment,
 * at the latest after two seconds.
 */
const QUIET_MS = 100;
const LISTENING_MS = 2_000;

interface ConnectionUse {
  /** Requests that arrived and are not answered yet. */
  unanswered: number;
  lastUsedMs: number;
}

/**
 * Stops taking connections, answers everything that arrived and ends each connection with its last answer. Node's own
 * `close` cuts connections that are idle at that instant, also those whose next request is already on its way.
 */
@Injectable()
export class GracefulStop {
  /** By connection, so that whoever goes away without waiting for the answer is forgotten with theirs. */
  private readonly connections = new Map<Socket, ConnectionUse>();
  private readonly stopping = new AbortController();
  private lastConnectionMs = 0;

  constructor() {
    setMaxListeners(0, this.stopping.signal); // one for each answer that takes long
  }

  /** While it stops, probes say so, and a balancer sends nothing new. */
  get isStopping(): boolean {
    return this.signal.aborted;
  }

  /** For answers that would take long, or never end: they end now. */
  get signal(): AbortSignal {
    return this.stopping.signal;
  }

  /** From now on nothing new is begun. */
  begin(): void {
    this.stopping.abort();
  }

  /** Before all other hooks: a request counts from its arrival, not from when its credential was verified. */
  install(fastify: FastifyInstance): void {
    fastify.server.on('connection', (socket: Socket) => {
      this.lastConnectionMs = Date.now();
      this.connections.set(socket, { unanswered: 0, lastUsedMs: Date.now() });
      socket.once('close', () => this.connections.delete(socket));
    });
    fastify.addHook('onRequest', (request, _reply, done) => {
      this.note(request.raw.socket, +1);
      done();
    });
    fastify.addHook('onSend', (_request, reply, _payload, done) => {
      if (this.isStopping) void reply.header('connection', 'close');
      done();
    });
    fastify.addHook('onResponse', (request, _reply, done) => {
      this.note(request.raw.socket, -1);
      done();
    });
  }

  async drain({ server }: FastifyInstance, graceSeconds: number): Promise<void> {
    this.begin();
    const beganMs = Date.now();
    const deadlineMs = beganMs + graceSeconds * 1000;
    if (server.listening) {
      await until(beganMs + LISTENING_MS, () => Date.now() - Math.max(this.lastConnectionMs, beganMs) > QUIET_MS);
      NetServer.prototype.close.call(server);
    }
    await until(deadlineMs, () => !this.isInUse());
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

async function until(deadlineMs: number, holds: () => boolean): Promise<void> {
  while (Date.now() < deadlineMs && !holds()) await sleep(POLL_MS);
}

import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';

export type ProxyMode =
  /** Passes bytes on, after `delayMs`. */
  | 'pass'
  /** Takes connections and bytes and never answers. */
  | 'hang'
  /** Resets who connects. */
  | 'refuse';

/** A line to a server that a spec can cut, slow down, block and mend. In this process, on the loopback address. */
export class TcpProxy {
  mode: ProxyMode = 'pass';
  delayMs = 0;
  /** Connections taken so far. */
  connections = 0;
  private readonly open = new Set<Socket>();

  private constructor(
    private readonly server: net.Server,
    private readonly target: { host: string; port: number },
  ) {
    server.on('connection', (client) => this.serve(client));
  }

  /** To the host and port of a URL such as the one of Redis or Postgres. */
  static async to(url: string): Promise<TcpProxy> {
    const { hostname, port, protocol } = new URL(url);
    const server = net.createServer({ allowHalfOpen: false }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const standardPort = protocol.startsWith('redis') ? 6379 : 5432;
    return new TcpProxy(server, { host: hostname, port: Number(port) || standardPort });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** The same address as `url`, by way of this proxy. */
  urlOf(url: string): string {
    const through = new URL(url);
    through.hostname = '127.0.0.1';
    through.port = String(this.port);
    return through.toString();
  }

  /** Breaks the connections that are open; what connects later fares as `mode` says. */
  cut(): void {
    for (const socket of this.open) socket.resetAndDestroy();
  }

  /** As if the server were gone: breaks what is open and refuses what comes. */
  takeAway(): void {
    this.mode = 'refuse';
    this.cut();
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private serve(client: Socket): void {
    this.connections += 1;
    if (this.mode === 'refuse') {
      client.resetAndDestroy();
      return;
    }
    const upstream = net.connect(this.target);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.open.add(from);
      from.on('data', (bytes) => this.passOn(bytes, to));
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.open.delete(from);
        to.destroy();
      });
    }
  }

  private passOn(bytes: Buffer, to: Socket): void {
    if (this.mode !== 'pass') return;
    const write = (): void => {
      if (!to.destroyed) to.write(bytes);
    };
    if (this.delayMs === 0) write();
    else setTimeout(write, this.delayMs).unref();
  }
}

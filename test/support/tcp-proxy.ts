import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';

export type ProxyMode =
  /** Passes bytes on, after `delayMs`. */
  | 'pass'
  /** Takes connections and bytes and never answers. */
  | 'hang'
  /** Resets who connects. */
  | 'refuse';

/** What is done to the next connection whose client sends a certain text. */
export type Loss =
  /** The text goes through, and the connection ends before the server can answer: whether it acts on it is open. */
  | 'sent'
  /** The server has acted on it and said so, and the client never hears of it. */
  | 'answered';

interface ArmedLoss {
  text: string;
  loss: Loss;
  left: number;
}

/** The two ends of one connection. */
interface Pair {
  client: Socket;
  upstream: Socket;
  /** The end of what the client has sent so far: a text may come in two pieces. */
  tail: string;
  /** The end of what was kept from the client; undefined while nothing is. */
  kept: Buffer | undefined;
  isHungUp: boolean;
}

/** How Postgres ends every answer: done, and ready for the next statement. A byte with the state of the transaction follows. */
const READY_FOR_QUERY = Buffer.from([0x5a, 0, 0, 0, 5]);

/** A line to a server that a spec can cut, slow down, block and mend. In this process, on the loopback address. */
export class TcpProxy {
  mode: ProxyMode = 'pass';
  delayMs = 0;
  /** Connections taken so far. */
  connections = 0;
  /** Connections that were lost as `lose` wants it. */
  lost = 0;
  private readonly open = new Set<Socket>();
  private armed: ArmedLoss | undefined;
  private isFrozen = false;

  private constructor(
    private readonly server: net.Server,
    private readonly target: { host: string; port: number },
  ) {
    server.on('connection', (client) => this.serve(client));
  }

  /** Connections that are open now. */
  get openConnections(): number {
    return this.open.size / 2; // with an end here and there each
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
    for (const socket of this.open) {
      if (socket.writableEnded)
        socket.destroy(); // Node does not reset what is ending already, and would leave it open
      else socket.resetAndDestroy();
    }
  }

  /** Breaks the next `times` connections to Postgres whose client sends this text, each after it was passed on. */
  lose(text: string, loss: Loss, times = 1): void {
    this.armed = { text, loss, left: times };
  }

  /** As if the network swallowed everything and said nothing; whatever is sent meanwhile arrives when it thaws, as TCP has it. */
  freeze(): void {
    this.isFrozen = true;
    for (const socket of this.open) socket.pause();
  }

  thaw(): void {
    this.isFrozen = false;
    for (const socket of this.open) socket.resume();
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
    const pair: Pair = { client, upstream: net.connect(this.target), tail: '', kept: undefined, isHungUp: false };
    client.on('data', (bytes) => this.toServer(bytes, pair));
    pair.upstream.on('data', (bytes) => this.toClient(bytes, pair));
    for (const [socket, other] of [
      [client, pair.upstream],
      [pair.upstream, client],
    ] as const) {
      this.open.add(socket);
      if (this.isFrozen) socket.pause();
      socket.on('error', () => undefined); // 'close' follows
      socket.on('close', () => {
        this.open.delete(socket);
        if (!pair.isHungUp) other.destroy();
      });
    }
  }

  private toServer(bytes: Buffer, pair: Pair): void {
    const { armed } = this;
    const isMeant = armed !== undefined && armed.left > 0 && isSaid(armed.text, bytes, pair);
    if (!isMeant) {
      this.passOn(bytes, pair.upstream);
      return;
    }
    armed.left -= 1;
    this.lost += 1;
    pair.kept = Buffer.alloc(0);
    pair.upstream.write(bytes, () => {
      if (armed.loss === 'sent') hangUp(pair);
    });
  }

  private toClient(bytes: Buffer, pair: Pair): void {
    if (pair.kept === undefined) {
      this.passOn(bytes, pair.client);
      return;
    }
    pair.kept = Buffer.concat([pair.kept, bytes]).subarray(-READY_FOR_QUERY.length - 1);
    if (pair.kept.subarray(0, -1).equals(READY_FOR_QUERY)) hangUp(pair);
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

function isSaid(text: string, bytes: Buffer, pair: Pair): boolean {
  const said = pair.tail + bytes.toString('latin1');
  pair.tail = said.slice(-text.length + 1);
  return said.includes(text);
}

/** The client sees its connection reset; the server gets everything that was passed on, and then the end. */
function hangUp(pair: Pair): void {
  if (pair.isHungUp) return;
  pair.isHungUp = true;
  pair.upstream.end();
  pair.client.resetAndDestroy();
}

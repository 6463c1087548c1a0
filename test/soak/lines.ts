import { TcpProxy } from '../support/tcp-proxy.js';

/** The lines of the processes to what they need, each one that may be frozen or cut. Of Redis all in one. */
export class Lines {
  private constructor(
    readonly apis: readonly TcpProxy[],
    readonly workers: readonly TcpProxy[],
    readonly redis: TcpProxy,
  ) {}

  static async open(to: { databaseUrl: string; redisUrl: string }, apis: number, workers: number): Promise<Lines> {
    const several = (count: number): Promise<TcpProxy[]> =>
      Promise.all(Array.from({ length: count }, () => TcpProxy.to(to.databaseUrl)));
    return new Lines(await several(apis), await several(workers), await TcpProxy.to(to.redisUrl));
  }

  async close(): Promise<void> {
    for (const line of [...this.apis, ...this.workers, this.redis]) {
      line.thaw();
      await line.close();
    }
  }
}

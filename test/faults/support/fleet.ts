import { ProductProcess, type ProcessBegins } from '../../support/product-process.js';
import { HttpDoor } from './door.js';

/** Processes of the product on one database. Each has a place with a door, and one that is killed can be replaced there. */
export class Fleet {
  readonly doors: readonly HttpDoor[];
  kills = 0;

  private constructor(
    private readonly databaseUrls: readonly string[],
    private readonly processes: ProductProcess[],
    private readonly environment: Record<string, string | undefined>,
    private readonly begins: ProcessBegins,
  ) {
    this.doors = processes.map((_, place) => new HttpDoor(() => this.at(place).url));
  }

  /** One process for each URL; several may lead to the same database. */
  static async start(
    databaseUrls: readonly string[],
    environment: Record<string, string | undefined> = {},
    begins: ProcessBegins = () => undefined,
  ): Promise<Fleet> {
    const started = await Promise.allSettled(databaseUrls.map((url) => ProductProcess.start(url, environment, begins)));
    const processes = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failed = started.find((one) => one.status === 'rejected');
    if (failed) {
      await Promise.all(processes.map((one) => one.stop('SIGKILL')));
      throw failed.reason;
    }
    return new Fleet(databaseUrls, processes, environment, begins);
  }

  get pids(): (number | undefined)[] {
    return this.processes.map(({ child }) => child.pid);
  }

  /** Whether all still run as they were started. */
  get isWhole(): boolean {
    return this.processes.every(({ child }) => child.exitCode === null && child.signalCode === null);
  }

  async kill(place: number): Promise<void> {
    this.kills += 1;
    await this.at(place).stop('SIGKILL');
  }

  async replace(place: number, more: Record<string, string | undefined> = {}): Promise<void> {
    const environment = { ...this.environment, ...more };
    this.processes[place] = await ProductProcess.start(this.databaseUrls[place]!, environment, this.begins);
  }

  async stop(): Promise<void> {
    await Promise.all(this.doors.map((door) => door.close()));
    await Promise.all(this.processes.map((one) => one.stop('SIGKILL')));
  }

  at(place: number): ProductProcess {
    const process = this.processes[place];
    if (!process) throw new Error(`there is no process ${place}`);
    return process;
  }
}

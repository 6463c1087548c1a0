import { GracefulStop } from '../platform/http/graceful-stop.js';
import { log } from '../platform/telemetry/logger.js';
import { WorkRound } from './work-round.service.js';

/** Work that ends when the spec says so. */
class Bench {
  readonly begun: string[] = [];
  readonly asked: number[] = [];
  open: string[] = [];
  private readonly ends = new Map<string, { resolve: () => void; reject: (error: unknown) => void }>();
  readonly stop = new GracefulStop();
  readonly round = new WorkRound<string>(
    this.stop,
    {
      name: 'a job',
      keyOf: (item) => item,
      open: (free) => {
        this.asked.push(free);
        return Promise.resolve(this.open);
      },
      run: (item) => {
        this.begun.push(item);
        return new Promise<void>((resolve, reject) => this.ends.set(item, { resolve, reject }));
      },
    },
    2,
  );

  async end(item: string, error?: Error): Promise<void> {
    if (error) this.ends.get(item)?.reject(error);
    else this.ends.get(item)?.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a round of long work', () => {
  let bench: Bench;
  beforeAll(() => (log.level = 'silent'));
  beforeEach(() => (bench = new Bench()));

  it('begins as much as it has hands for, and the next when one is done', async () => {
    bench.open = ['a', 'b', 'c'];
    await bench.round.look();
    expect(bench.begun).toEqual(['a', 'b']);
    await bench.round.look();
    expect(bench.asked).toEqual([2]); // with both hands full nobody is asked
    await bench.end('a');
    bench.open = ['b', 'c'];
    await bench.round.look();
    expect(bench.begun).toEqual(['a', 'b', 'c']);
    expect(bench.asked).toEqual([2, 1]);
  });

  it('has each at work once, however often it is found', async () => {
    bench.open = ['a'];
    await Promise.all([bench.round.look(), bench.round.look()]);
    await bench.round.look();
    expect(bench.begun).toEqual(['a']);
    await bench.end('a');
    await bench.round.look();
    expect(bench.begun).toEqual(['a', 'a']);
  });

  it('goes on after work that fails, and after a look that fails', async () => {
    bench.open = ['a'];
    await bench.round.look();
    await bench.end('a', new Error('it broke'));
    bench.open = undefined as unknown as string[];
    await bench.round.look();
    bench.open = ['b'];
    await bench.round.look();
    expect(bench.begun).toEqual(['a', 'b']);
  });

  it('begins nothing while the process stops, and waits for what was begun, but not forever', async () => {
    bench.open = ['a'];
    await bench.round.look();
    bench.stop.begin();
    bench.open = ['b'];
    await bench.round.look();
    expect(bench.begun).toEqual(['a']);
    const beganMs = Date.now();
    await bench.round.leave(0.1);
    expect(Date.now() - beganMs).toBeGreaterThanOrEqual(100);
    const idle = bench.round.leave(60);
    await bench.end('a');
    await idle;
  });
});

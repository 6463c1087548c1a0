import { Gauge, type Registry } from 'prom-client';
import { log } from './logger.js';

const FRESH_MS = 5_000;

/**
 * Gauges over what one question answers: it is asked for all of them together, every few seconds at most, and only when somebody reads
 * the metrics. What cannot be answered is left out.
 */
export class FigureGauges<Figures> {
  private last: { atMs: number; figures: Promise<Figures | undefined> } | undefined;

  /** `what` is for the log: "what waits". */
  constructor(
    private readonly registry: Registry,
    private readonly what: string,
    private readonly ask: () => Promise<Figures>,
  ) {}

  show(name: string, help: string, valueOf: (figures: Figures) => number): this {
    const figures = (): Promise<Figures | undefined> => this.figures();
    new Gauge({
      name,
      help,
      registers: [this.registry],
      async collect() {
        const found = await figures();
        if (found === undefined) this.remove();
        else this.set(valueOf(found));
      },
    });
    return this;
  }

  /** One line for each value of a label, of which there must be few. */
  showEach(
    name: string,
    help: string,
    label: string,
    valuesOf: (figures: Figures) => Readonly<Record<string, number>>,
  ): this {
    const figures = (): Promise<Figures | undefined> => this.figures();
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      async collect() {
        const found = await figures();
        this.reset();
        if (found === undefined) return;
        for (const [value, figure] of Object.entries(valuesOf(found))) this.set({ [label]: value }, figure);
      },
    });
    return this;
  }

  private figures(): Promise<Figures | undefined> {
    if (this.last && performance.now() - this.last.atMs < FRESH_MS) return this.last.figures;
    const figures = this.ask().catch((error: unknown) => {
      log.warn({ err: error }, `${this.what} could not be read for the metrics`);
      this.last = undefined;
      return undefined;
    });
    this.last = { atMs: performance.now(), figures };
    return figures;
  }
}

import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Configuration } from '../config/configuration.js';
import type { NewSpan, Span } from './span.js';
import type { SpanRecorder } from './span-recorder.js';

/** Traces, where a collector is configured. Without one nothing of OpenTelemetry is loaded, and nothing is begun. */
@Injectable()
export class Tracing implements OnModuleInit, OnApplicationShutdown {
  private recorder: SpanRecorder | undefined;

  constructor(private readonly configuration: Configuration) {}

  get isOn(): boolean {
    return this.recorder !== undefined;
  }

  async onModuleInit(): Promise<void> {
    const { tracing } = this.configuration;
    if (!tracing) return;
    const { SpanRecorder } = await import('./span-recorder.js');
    this.recorder = new SpanRecorder(tracing);
  }

  begin(span: NewSpan): Span | undefined {
    return this.recorder?.begin(span);
  }

  /** What was gathered still goes out. */
  async onApplicationShutdown(): Promise<void> {
    await this.recorder?.close();
  }
}

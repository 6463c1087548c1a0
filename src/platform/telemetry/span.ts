export type SpanAttributes = Readonly<Record<string, string | number | undefined>>;

export interface NewSpan {
  name: string;
  kind: 'server' | 'client';
  /** The `traceparent` of what led to it. */
  parent: string | undefined;
  attributes: SpanAttributes;
}

/** A piece of work in a trace. */
export interface Span {
  /** For those who are called from it. */
  readonly traceparent: string;
  /** Whether it is kept: the rest of a trace is only worth storing where this is. */
  readonly isKept: boolean;
  end: (attributes: SpanAttributes, failure?: string) => void;
}

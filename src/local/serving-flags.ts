/**
 * How Node is started to serve, here and in the image: V8 would let its young generation grow to 3 × 16 MB and keep it, which
 * is 40 MB of an idle process and bought no request (docs/performance.md).
 */
export const SERVING_FLAGS = ['--max-semi-space-size=8'] as const;

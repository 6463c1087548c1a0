/**
 * How Node is started to serve, here and in the image: V8 would let its young generation grow to 3 × 16 MB and keep it, which
 * is 40 MB of an idle process and bought no request, and its old one to twice what is in use, which is 80 MB while a large file is
 * imported (docs/performance.md).
 */
export const SERVING_FLAGS = ['--max-semi-space-size=8', '--heap-growing-percent=60'] as const;

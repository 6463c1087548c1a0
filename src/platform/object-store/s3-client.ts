import { S3Client } from '@aws-sdk/client-s3';
import type { S3StoreConfiguration } from './object-store-options.js';

export interface S3Limits {
  readonly connectMs: number;
  /** From sending a request to the head of its answer, and as much longer as its body takes on a slow connection. */
  readonly answerMs: number;
  /** The same where the store copies an object or puts one together, which it does in silence. */
  readonly workMs: number;
  /** Silence on a connection in the middle of a transfer, whichever side causes it. */
  readonly idleMs: number;
  readonly attempts: number;
}

export const S3_LIMITS: S3Limits = { connectMs: 3_000, answerMs: 10_000, workMs: 300_000, idleMs: 60_000, attempts: 3 };

/** A connection slower than this counts as broken. */
const SLOWEST_BYTES_PER_MS = 256;

function unlogged(): void {
  // What the client would print on the console is thrown as well, and logged by whoever asked.
}

const SILENT = { trace: unlogged, debug: unlogged, info: unlogged, warn: unlogged, error: unlogged };

export function s3Client(options: S3StoreConfiguration, endpoint: string, limits: S3Limits): S3Client {
  return new S3Client({
    endpoint,
    region: options.region,
    credentials: { accessKeyId: options.accessKeyId, secretAccessKey: options.secretAccessKey },
    forcePathStyle: true,
    // The default adds checksum trailers that several S3 stores do not understand, and a checksum of nothing to presigned URLs.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    logger: SILENT,
    retryMode: 'standard',
    maxAttempts: limits.attempts,
    requestHandler: {
      connectionTimeout: limits.connectMs,
      socketTimeout: limits.idleMs,
      throwOnRequestTimeout: true,
    },
  });
}

/** How long the answer to a request with this body may take. */
export function patienceFor(body: Buffer, { answerMs }: S3Limits): { requestTimeout: number } {
  return { requestTimeout: answerMs + Math.ceil(body.length / SLOWEST_BYTES_PER_MS) };
}

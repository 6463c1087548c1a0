import type { S3StoreConfiguration } from '../../src/platform/object-store/object-store-options.js';
import { startS3Server } from '../support/s3-server/start.js';

export interface S3UnderTest extends S3StoreConfiguration {
  stop(): Promise<void>;
}

/** Our server, or the store that TEST_S3_ENDPOINT names, so that both are held to the same tests. */
export async function startS3UnderTest(): Promise<S3UnderTest> {
  const endpoint = process.env.TEST_S3_ENDPOINT;
  if (endpoint === undefined) return { kind: 's3', ...(await startS3Server()) };
  return {
    kind: 's3',
    endpoint,
    publicEndpoint: endpoint,
    region: process.env.TEST_S3_REGION ?? 'us-east-1',
    bucket: needed('TEST_S3_BUCKET'),
    accessKeyId: needed('TEST_S3_ACCESS_KEY_ID'),
    secretAccessKey: needed('TEST_S3_SECRET_ACCESS_KEY'),
    stop: () => Promise.resolve(),
  };
}

function needed(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`TEST_S3_ENDPOINT is set, so ${name} is needed too`);
  return value;
}

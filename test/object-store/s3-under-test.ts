import type { S3StoreConfiguration } from '../../src/platform/object-store/object-store-options.js';
import { startS3Server } from '../support/s3-server/start.js';

export interface S3UnderTest extends S3StoreConfiguration {
  stop(): Promise<void>;
}

/** Our server, or with `npm run test:s3` the store that the environment names, so that both are held to the same tests. */
export async function startS3UnderTest(): Promise<S3UnderTest> {
  if (process.env.TEST_S3_STORE !== 'given') return { kind: 's3', ...(await startS3Server()) };
  const endpoint = given('S3_ENDPOINT');
  return {
    kind: 's3',
    endpoint,
    publicEndpoint: given('S3_PUBLIC_ENDPOINT', endpoint),
    region: given('S3_REGION', 'us-east-1'),
    bucket: given('S3_BUCKET'),
    accessKeyId: given('S3_ACCESS_KEY_ID'),
    secretAccessKey: given('S3_SECRET_ACCESS_KEY'),
    stop: () => Promise.resolve(),
  };
}

function given(name: string, fallback = ''): string {
  return process.env[name] || fallback;
}

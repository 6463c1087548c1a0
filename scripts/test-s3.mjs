// `npm run test:s3`: what holds of every object store, held against the S3 store that S3_ENDPOINT and its companions name. Its
// bucket has to exist; what the tests put there they delete.
import { spawnSync } from 'node:child_process';

const SPECS = ['test/object-store/object-store.spec.ts', 'test/object-store/s3-operations.spec.ts'];
const NEEDED = ['S3_ENDPOINT', 'S3_BUCKET', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'];

const missing = NEEDED.filter((name) => !process.env[name]);
if (missing.length > 0) {
  console.error(`Which S3 store? Set ${missing.join(', ')}, and S3_REGION where it is not us-east-1.`);
  process.exit(1);
}
const { status } = spawnSync('jest', ['--runInBand', ...SPECS, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, TEST_S3_STORE: 'given' },
});
process.exit(status ?? 1);

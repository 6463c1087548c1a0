import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { newApiKey } from '../access/api-key.js';
import type { DataFolder } from './data-folder.js';
import { readPrivateJson, writePrivateJson } from './private-file.js';
import { StartProblem } from './start-problem.js';

/** Made at the first start and kept, so that what was printed once stays true. */
export interface Credentials {
  postgres_password: string;
  redis_password: string;
  api_key: string;
  operator_key: string;
}

export function keptCredentials(folder: DataFolder): Credentials {
  const kept = readPrivateJson<Credentials>(folder.credentialsFile);
  if (!kept?.postgres_password && existsSync(folder.postgres)) {
    throw new StartProblem(
      `${folder.credentialsFile} is missing, and with it the password of the database in ${folder.postgres}: ` +
        'put it back, or move the database away to begin anew.',
    );
  }
  const credentials: Credentials = {
    postgres_password: kept?.postgres_password ?? newPassword(),
    redis_password: kept?.redis_password ?? newPassword(),
    api_key: kept?.api_key ?? newApiKey().apiKey,
    operator_key: kept?.operator_key ?? newPassword(),
  };
  writePrivateJson(folder.credentialsFile, credentials);
  return credentials;
}

export function newPassword(): string {
  return randomBytes(32).toString('base64url');
}

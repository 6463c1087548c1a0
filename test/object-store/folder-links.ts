import type { Configuration } from '../../src/platform/config/configuration.js';
import { FileLinks } from '../../src/platform/object-store/file-links.js';
import { Keyring } from '../../src/platform/secrets/keyring.js';

/** Signs URLs of a folder as the product does, with secrets of the tests. */
export function folderLinks(publicUrl = 'https://ipm.example'): FileLinks {
  const encryptionKeys = `k1:${Buffer.alloc(32, 7).toString('base64')}`;
  const configuration = { publicUrl, secrets: { secret: 's'.repeat(32), encryptionKeys } } as Configuration;
  return new FileLinks(new Keyring(configuration), configuration);
}

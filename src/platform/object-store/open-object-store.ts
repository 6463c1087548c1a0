import { FolderObjectStore } from './folder-object-store.js';
import type { ObjectStoreConfiguration } from './object-store-options.js';
import type { ObjectStore } from './object-store.js';
import { S3ObjectStore } from './s3-object-store.js';

export function openObjectStore(options: ObjectStoreConfiguration): ObjectStore {
  return options.kind === 'folder' ? new FolderObjectStore(options) : new S3ObjectStore(options);
}
